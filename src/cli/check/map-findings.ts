import type { Config } from '../../admission/config.ts';
import { entryProblem } from '../../admission/guards/map-entries.ts';
import { misspelledMapKeys } from '../../admission/guards/map-prefixes.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';
import type { Finding, FoundObject } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';
import { problemFinding } from './namespace-findings.ts';

export function mapObject(kind: RoleMapKind, { ackSystems }: Config, ackSystem = ackSystems[0].namespace): FoundObject {
  return { kind: 'ConfigMap', namespace: ackSystem, name: roleMapNames[kind] };
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
        ...entries.flatMap(([key, value]) => {
          const problem = entryProblem(kind, key, value);
          return problem === undefined ? [] : problemFinding(problem, object, undefined, config);
        }),
        ...misspelled.map(ignored => ignoredKeyFinding(ignored, object)),
      ];
    }),
  );
}
