import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Binding } from '../../src/accounts/binding.ts';
import { readBinding } from '../../src/accounts/binding.ts';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { readRequestedRole, resolvePodRole } from '../../src/accounts/pod-role.ts';
import { readRoleMap } from '../../src/objects/role-map.ts';
import { anyCharacter } from '../any-character.ts';

const id = '111111111111';
const arn = (name: string, account = id, partition = 'aws') => `arn:${partition}:iam::${account}:role/${name}`;

function bindingOf(key: 'owner-account-id' | 'team-id', value: string): Binding {
  const gates = { ...defaultFeatureGates, TeamLevelCARM: true };
  const binding = readBinding(new Map([[`services.k8s.aws/${key}`, value]]), gates);
  if (!binding?.ok) throw new Error(`not a binding: ${value}`);
  return binding.value;
}
const account = bindingOf('owner-account-id', id);
const team = bindingOf('team-id', 'platform');

interface Asked {
  readonly data?: unknown;
  readonly teamData?: unknown;
  readonly requested?: Readonly<Record<string, string>>;
  readonly requirePodsKey?: boolean;
  readonly sourceAccounts?: readonly string[];
  readonly binding?: Binding;
}

/** The role's text and the key or annotation that it came from, or the reason of the refusal. */
function resolve({
  data,
  teamData,
  requested = {},
  requirePodsKey = false,
  sourceAccounts = [],
  binding = account,
}: Asked) {
  const maps = {
    account: data === undefined ? undefined : readRoleMap({ data }),
    team: teamData === undefined ? undefined : readRoleMap({ data: teamData }),
  };
  const options = { requirePodsKey, sourceAccounts: new Set(sourceAccounts) };
  const result = resolvePodRole(
    binding,
    maps[binding.kind],
    readRequestedRole(new Map(Object.entries(requested))),
    options,
  );
  if (!result.ok) return result.problem.reason;
  const { role, source, accountId } = result.value;
  return [role.text, source.kind === 'map' ? source.key : source.annotation, accountId];
}

const protoMap = JSON.parse(`{"__proto__":"${arn('proto')}","${id}":"${arn('r')}"}`);

describe('the mapped role', () => {
  const table: Readonly<Record<string, [Asked, unknown]>> = {
    'pods.<id> before <id>': [
      { data: { [id]: arn('ack'), [`pods.${id}`]: arn('pods') } },
      [arn('pods'), `pods.${id}`, id],
    ],
    '<id> alone': [{ data: { [id]: arn('ack') } }, [arn('ack'), id, id]],
    'an empty pods.<id> falls back': [{ data: { [id]: arn('ack'), [`pods.${id}`]: '' } }, [arn('ack'), id, id]],
    'an invalid pods.<id> does not fall back': [{ data: { [id]: arn('ack'), [`pods.${id}`]: 'x' } }, 'InvalidRoleArn'],
    'a foreign pods.<id> does not fall back': [
      { data: { [id]: arn('ack'), [`pods.${id}`]: arn('x', '222222222222') } },
      'AccountMismatch',
    ],
    'the fall-back turned off': [{ data: { [id]: arn('ack') }, requirePodsKey: true }, 'AccountNotMapped'],
    'the key that is then required': [
      { data: { [`pods.${id}`]: arn('pods') }, requirePodsKey: true },
      [arn('pods'), `pods.${id}`, id],
    ],
    'no map': [{}, 'AccountMapMissing'],
    'a ConfigMap without data': [{ data: null }, 'AccountNotMapped'],
    'no key': [{ data: { other: arn('r') } }, 'AccountNotMapped'],
    'keys are exact strings': [{ data: { [` ${id}`]: arn('r'), [`Pods.${id}`]: arn('r') } }, 'AccountNotMapped'],
    'a service-level key is not for pods': [{ data: { [`s3.${id}`]: arn('r') } }, 'AccountNotMapped'],
    'a map with the key __proto__': [{ data: protoMap }, [arn('r'), id, id]],
    'a team map missing': [{ binding: team, data: { platform: arn('r') } }, 'TeamMapMissing'],
    'a team': [
      { binding: team, teamData: { platform: arn('r', '222222222222') } },
      [arn('r', '222222222222'), 'platform', '222222222222'],
    ],
    'a team not mapped': [{ binding: team, teamData: {} }, 'TeamNotMapped'],
    'the team constructor': [{ binding: bindingOf('team-id', 'constructor'), teamData: {} }, 'TeamNotMapped'],
    'the team __proto__': [{ binding: bindingOf('team-id', '__proto__'), teamData: {} }, 'TeamNotMapped'],
    'the team __proto__, mapped': [
      { binding: bindingOf('team-id', '__proto__'), teamData: protoMap },
      [arn('proto'), '__proto__', id],
    ],
  };
  for (const [what, [asked, expected]] of Object.entries(table)) {
    test(what, () => assert.deepEqual(resolve(asked), expected));
  }
});

describe('the wish of a ServiceAccount', () => {
  const ours = 'carm-webhook.dev/role';
  const eks = 'eks.amazonaws.com/role-arn';
  const data = { [id]: arn('ack') };
  const table: Readonly<Record<string, [Asked, unknown]>> = {
    'a bare name': [{ data, requested: { [ours]: 's3-reader' } }, [arn('s3-reader'), ours, id]],
    'a path': [{ data, requested: { [ours]: 'team/s3-reader' } }, [arn('team/s3-reader'), ours, id]],
    'a full ARN': [{ data, requested: { [ours]: arn('x') } }, [arn('x'), ours, id]],
    'the annotation of EKS, bare': [{ data, requested: { [eks]: 'x' } }, [arn('x'), eks, id]],
    'the annotation of EKS, full': [{ data, requested: { [eks]: arn('x') } }, [arn('x'), eks, id]],
    'ours before that of EKS': [{ data, requested: { [ours]: 'a', [eks]: 'b' } }, [arn('a'), ours, id]],
    'ours empty leaves that of EKS': [{ data, requested: { [ours]: '', [eks]: 'b' } }, [arn('b'), eks, id]],
    'ours invalid does not fall to that of EKS': [{ data, requested: { [ours]: 'a b', [eks]: 'b' } }, 'InvalidRoleArn'],
    "the mapped role's partition is carried over": [
      { data: { [id]: arn('ack', id, 'aws-us-gov') }, requested: { [ours]: 'x' } },
      [arn('x', id, 'aws-us-gov'), ours, id],
    ],
    'another account': [{ data, requested: { [eks]: arn('x', '222222222222') } }, 'RoleOutsideAccount'],
    'the same digits in another partition': [
      { data, requested: { [eks]: arn('x', id, 'aws-cn') } },
      'RoleOutsideAccount',
    ],
    'a source account': [
      { data, requested: { [eks]: arn('hub', '222222222222') }, sourceAccounts: ['222222222222'] },
      [arn('hub', '222222222222'), eks, id],
    ],
    'a bare name stays in the account, whatever the source accounts': [
      { data, requested: { [eks]: 'hub' }, sourceAccounts: ['222222222222'] },
      [arn('hub'), eks, id],
    ],
    'the map must resolve first': [{ data: {}, requested: { [ours]: arn('x') } }, 'AccountNotMapped'],
    'for a team the account of its role': [
      { binding: team, teamData: { platform: arn('r', '333333333333') }, requested: { [ours]: 'x' } },
      [arn('x', '333333333333'), ours, '333333333333'],
    ],
    'for a team a role of another account': [
      { binding: team, teamData: { platform: arn('r', '333333333333') }, requested: { [ours]: arn('x') } },
      'RoleOutsideAccount',
    ],
    'neither form': [{ data, requested: { [ours]: `arn:aws:iam::${id}:user/x` } }, 'InvalidRoleArn'],
    'a trailing newline': [{ data, requested: { [ours]: 'x\n' } }, 'InvalidRoleArn'],
  };
  for (const [what, [asked, expected]] of Object.entries(table)) {
    test(what, () => assert.deepEqual(resolve(asked), expected));
  }

  test('whatever it is, the role lies in the account or in a source account', () => {
    const wishes = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.stringMatching(/^[\w/.-]{1,20}$/),
      fc.tuple(fc.stringMatching(/^[0-9]{12}$/), fc.string()).map(([other, name]) => arn(name, other)),
      fc.constantFrom(arn('x'), arn('x', '222222222222'), arn('x', '333333333333')),
    );
    fc.assert(
      fc.property(wishes, value => {
        const resolved = resolve({ data, requested: { [ours]: value }, sourceAccounts: ['222222222222'] });
        if (typeof resolved === 'string') return;
        assert.match(String(resolved[0]), /^arn:aws:iam::(?:111111111111|222222222222):role\/[\w+=,.@/-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
