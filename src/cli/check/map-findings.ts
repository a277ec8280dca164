import type { Config } from '../../admission/config.ts';
import { entryProblem } from '../../admission/guards/map-entries.ts';
import { misspelledMapKeys } from '../../admission/guards/map-prefixes.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';

export function mapObject(kind: RoleMapKind, { ackSystems }: Config, ackSystem = ackSystems[0].namespace): FoundObject {
  return { kind: 'ConfigMap', namespace: ackSystem, name: roleMapNames[kind] };
}

function entryFinding(kind: RoleMapKind, key: string, value: string, object: FoundObject): Finding | undefined {
  const problem = entryProblem(kind, key, value);
  switch (problem?.reason) {
    case 'InvalidAccountId':
    case 'InvalidTeamId': {
      const form = kind === 'account' ? 'an account id of 12 digits' : 'a team id (letters, digits, _ and -)';
      const message = `key ${quote(key)} is not ${form}, alone or after "pods." or a service alias`;
      return finding(
        problem.reason,
        object,
        message,
        'Correct the key (quote it: YAML reads bare digits as a number).',
      );
    }
    case 'InvalidRoleArn': {
      const message = `the value ${quote(value)} under ${quote(key)} is not a role ARN (arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME)`;
      return finding(problem.reason, object, message, 'Correct the value in the map.');
    }
    case 'AccountMismatch': {
      if (!('key' in problem)) return undefined;
      const message = `key ${quote(key)} has a role in account ${problem.role.accountId}`;
      return finding(problem.reason, object, message, `Use a role in account ${problem.accountId} for that key.`);
    }
    default:
      return undefined;
  }
}

/** What is wrong with the maps themselves, whoever is bound to their entries. */
export function findInMaps(state: Snapshot, config: Config): readonly Finding[] {
  return (['account', 'team'] as const).flatMap(kind =>
    config.ackSystems.flatMap(({ namespace }) => {
      const object = mapObject(kind, config, namespace);
      const entries = [...(state.roleMap(kind, namespace) ?? [])];
      const misspelled = misspelledMapKeys(
        kind,
        entries.map(([key]) => key),
      );
      return [
        ...entries.flatMap(([key, value]) => entryFinding(kind, key, value, object) ?? []),
        ...misspelled.map(ignored => ignoredKeyFinding(ignored, object)),
      ];
    }),
  );
}
