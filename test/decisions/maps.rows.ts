import { configMap, mapReview, type Strings } from './resources.ts';
import type { Row } from './row.ts';
import { account, accountMap, hostile, iamAccountMap, role, teamMap } from './state.ts';

/** The maps: what a change adds must be valid, what namespaces use must stay. */

const name = 'ack-role-account-map';
const arn = (id: string, role = 'new') => `arn:aws:iam::${id}:role/${role}`;
const accounts = configMap(name, accountMap);
const teams = configMap('ack-role-team-map', teamMap);
const denied = { endpoint: 'validate', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const notOurs = { endpoint: 'validate', reason: 'NotApplicable', outcome: 'allowed' } as const;
const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

function without(data: Strings, ...keys: readonly string[]): Strings {
  return Object.fromEntries(Object.entries(data).filter(([key]) => !keys.includes(key)));
}
const edited = (changes: Strings, ...gone: readonly string[]) =>
  mapReview(accounts, configMap(name, { ...without(accountMap, ...gone), ...changes }));
const teamsEdited = (changes: Strings, ...gone: readonly string[]) =>
  mapReview(teams, configMap('ack-role-team-map', { ...without(teamMap, ...gone), ...changes }));

const entries: readonly Row[] = [
  { ...checked, proves: 'a map may gain an account', review: edited({ '303030303030': arn('303030303030') }) },
  {
    ...checked,
    proves: 'a map may gain keys of pods and of services',
    review: edited({ 'pods.303030303030': arn('303030303030'), 's3.303030303030': arn('303030303030') }),
  },
  {
    ...checked,
    proves: 'a key with the prefix of no service is remarked on',
    review: edited({ 'workloads.303030303030': arn('303030303030'), 'esk.303030303030': '' }),
    warnings: ['UnknownService'],
    says: ['"workloads.303030303030", "esk.303030303030"'],
  },
  {
    ...checked,
    proves: 'a map may gain an empty entry, which is none',
    review: edited({ '303030303030': '' }),
  },
  {
    ...denied,
    proves: 'a map that is made with a bad entry is denied',
    review: mapReview(undefined, configMap(name, { '303030303030': 'admin' })),
    reason: 'InvalidRoleArn',
    says: ['ConfigMap ack-system/ack-role-account-map', '"303030303030"', '"admin"'],
  },
  ...(
    [
      ['a role that is none', '303030303030', 'not a role', 'InvalidRoleArn'],
      ['a role with a blank before it', '303030303030', ` ${arn('303030303030')}`, 'InvalidRoleArn'],
      ['a role with a line break after it', '303030303030', `${arn('303030303030')}\n`, 'InvalidRoleArn'],
      ['the root of an account', '303030303030', 'arn:aws:iam::303030303030:root', 'InvalidRoleArn'],
      ['a hostile value', '303030303030', hostile, 'InvalidRoleArn'],
      ['a role of another account', '303030303030', arn('404040404040'), 'AccountMismatch'],
      ['a role of another account for pods', 'pods.303030303030', arn('404040404040'), 'AccountMismatch'],
      ['a role of another account for a service', 's3.303030303030', arn('404040404040'), 'AccountMismatch'],
      ['a key without leading zeros', '12', arn('000000000012'), 'InvalidAccountId'],
      ['a key that is a name', 'shop', arn(account), 'InvalidAccountId'],
      ['a key with two prefixes', `pods.s3.${account}`, arn(account), 'InvalidAccountId'],
      ['a key named __proto__', '__proto__', arn(account), 'InvalidAccountId'],
    ] as const
  ).map(
    ([what, key, value, reason]): Row => ({
      ...denied,
      proves: `a map does not gain ${what}`,
      review: mapReview(
        accounts,
        JSON.parse(
          JSON.stringify(accounts).replace('"data":{', `"data":{${JSON.stringify(key)}:${JSON.stringify(value)},`),
        ),
      ),
      reason,
      says: ['Ask your platform team to'],
    }),
  ),
  {
    ...denied,
    proves: 'the team map does not gain a team id with a dot',
    review: teamsEdited({ 's3.a.b': arn('444444444444') }),
    reason: 'InvalidTeamId',
  },
  {
    ...denied,
    proves: 'the team map does not gain a role that is none',
    review: teamsEdited({ other: 'arn:aws:s3:::b' }),
    reason: 'InvalidRoleArn',
  },
  {
    ...checked,
    proves: 'the team map may gain a team of any account',
    review: teamsEdited({ other: arn('303030303030') }),
  },
];

const mended: readonly Row[] = [
  {
    ...checked,
    proves: 'a map that is broken elsewhere may be changed',
    review: edited({ '303030303030': arn('303030303030') }),
  },
  {
    ...checked,
    proves: 'a garbage entry may be fixed while others stay broken',
    review: edited({ '222222222222': arn('222222222222') }),
  },
  {
    ...checked,
    proves: 'an entry of another account may be fixed, though a namespace is bound to it',
    review: edited({ 'pods.333333333333': arn('333333333333') }),
  },
  {
    ...checked,
    proves: 'an entry of another account may be removed, though a namespace is bound to it',
    review: edited({}, 'pods.333333333333'),
  },
  { ...checked, proves: 'a garbage entry may be removed', review: edited({}, '222222222222') },
  {
    ...denied,
    proves: 'a broken entry may not be broken in another way',
    review: edited({ '222222222222': 'still not a role' }),
    reason: 'InvalidRoleArn',
    says: ['"222222222222"'],
  },
];

const used: readonly Row[] = [
  {
    ...denied,
    proves: 'removing an entry that namespaces use names some of them',
    review: edited({}, account),
    reason: 'MappingInUse',
    says: [`"${account}"`, '"bound-unlabelled"', 'more'],
  },
  {
    ...denied,
    proves: 'emptying an entry is removing it',
    review: edited({ '555555555555': '' }),
    reason: 'MappingInUse',
    says: ['"shared"'],
  },
  {
    ...denied,
    proves: 'removing the only entry of a namespace names it',
    review: edited({}, '555555555555'),
    reason: 'MappingInUse',
    says: ['"shared"'],
  },
  {
    ...checked,
    proves: 'cleaning up an entry that nobody uses is allowed',
    review: edited({}, 's3.989898989898'),
  },
  {
    ...checked,
    proves: 'without ServiceLevelCARM a service-level key is used by nobody',
    review: edited({}, 's3.131313131313'),
  },
  {
    ...denied,
    server: 'services',
    proves: 'with ServiceLevelCARM a service-level key is used',
    review: edited({}, 's3.131313131313'),
    reason: 'MappingInUse',
    says: ['"service-only"'],
  },
  {
    ...denied,
    server: 'services',
    proves: 'a service-level key that is used may not go, though another of the account would take its place',
    review: edited({}, 's3.121212121212'),
    reason: 'MappingInUse',
    says: ['"s3.121212121212"', '"service-level"'],
  },
  {
    ...denied,
    proves: 'a key of pods may not go: they would get the role that ACK provisions with',
    review: edited({}, `pods.${account}`),
    reason: 'MappingInUse',
    says: [`"pods.${account}"`, '"bound-unlabelled"'],
  },
  {
    ...denied,
    proves: 'nor be emptied, which is the same',
    review: edited({ [`pods.${account}`]: '' }),
    reason: 'MappingInUse',
    says: [`"pods.${account}"`],
  },
  {
    ...checked,
    proves: 'a key of pods may be given the role that it would fall back to, with the number of namespaces that follow',
    review: edited({ [`pods.${account}`]: arn(account, 'ack-controller') }),
    warnings: ['RoleReplaced'],
  },
  {
    ...checked,
    proves: 'a key that falls back to the very same role may go',
    review: mapReview(
      configMap('ack-role-account-map', { [account]: role, [`pods.${account}`]: role }),
      configMap('ack-role-account-map', { [account]: role }),
    ),
  },
  {
    ...denied,
    proves: 'the same digits in another partition are another account',
    review: edited({ '555555555555': arn('555555555555', 'ack-controller').replace('aws', 'aws-cn') }),
    reason: 'MappingInUse',
    says: ['"555555555555"', '"shared"'],
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'with --require-pods-key a key of pods does not fall back, so it may not go',
    review: edited({}, `pods.${account}`),
    reason: 'MappingInUse',
  },
  {
    ...checked,
    proves: 'another role of the same account is allowed, with the number of namespaces that follow',
    review: edited({ '555555555555': arn('555555555555', 'other') }),
    warnings: ['RoleReplaced'],
    says: ['1 bound namespace will use the new role of "555555555555"'],
  },
  {
    ...checked,
    proves: 'another role of an entry that nobody uses is no matter',
    review: edited({ 's3.989898989898': arn('989898989898', 'other') }),
  },
  {
    ...denied,
    server: 'teams',
    proves: 'a team that moves to another account, while namespaces use it, is denied',
    review: teamsEdited({ platform: arn('303030303030') }),
    reason: 'MappingInUse',
    says: ['"platform"', '"team-only"', '"team-and-account"'],
  },
  {
    ...checked,
    proves: 'with TeamLevelCARM off the team map is used by nobody',
    review: teamsEdited({}, 'platform'),
  },
  { ...checked, server: 'teams', proves: 'a team without namespaces may go', review: teamsEdited({}, 'spare') },
  {
    ...denied,
    server: 'services-and-teams',
    proves: "a service-level key of another account that is put before a team's own moves what is there",
    review: teamsEdited({ 'sqs.platform': arn('303030303030') }),
    reason: 'MappingInUse',
    says: ['"team-only"'],
  },
  {
    ...checked,
    server: 'services-and-teams',
    proves: "a service-level key of the same account may be put before a team's own",
    review: teamsEdited({ 'sqs.platform': arn('444444444444') }),
    warnings: ['RoleReplaced'],
  },
  {
    ...denied,
    proves: 'DELETE of a map in use is denied',
    review: mapReview(accounts, undefined),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    proves: 'deletecollection of a map in use is denied, though the request has no name',
    review: mapReview(accounts, undefined, { name: '' }),
    reason: 'MappingInUse',
  },
  {
    ...checked,
    proves: 'DELETE of a map that nobody uses is allowed',
    review: mapReview(configMap(name, { 's3.989898989898': arn('989898989898') }), undefined),
  },
  {
    ...checked,
    server: 'systems',
    proves: 'a key of pods in the map of another ACK system namespace than the first is used by nobody',
    review: mapReview(
      configMap(name, iamAccountMap, 'ack-iam'),
      configMap(name, without(iamAccountMap, `pods.${account}`), 'ack-iam'),
    ),
  },
  {
    ...denied,
    server: 'systems',
    proves: 'the maps of every ACK system namespace are guarded',
    review: mapReview(configMap(name, iamAccountMap, 'ack-iam'), undefined),
    reason: 'MappingInUse',
    says: ['ConfigMap ack-iam/ack-role-account-map'],
  },
  {
    ...denied,
    proves: 'a map may not become immutable',
    review: mapReview(accounts, configMap(name, accountMap, 'ack-system', { immutable: true })),
    reason: 'MapImmutable',
  },
  {
    ...denied,
    proves: 'a map may not be made immutable',
    review: mapReview(undefined, configMap(name, {}, 'ack-system', { immutable: true })),
    reason: 'MapImmutable',
  },
  {
    ...checked,
    proves: 'a map that is immutable already may change its labels',
    review: mapReview(
      configMap(name, accountMap, 'ack-system', { immutable: true }),
      configMap(name, accountMap, 'ack-system', { immutable: true }),
    ),
  },
];

const one = (id: string, namespace?: string) => configMap(name, { [id]: arn(id, 'ack-controller') }, namespace);

/** Where a namespace is not bound, ACK goes by the account in the status, and its entry of the account map. */
const byStatus: readonly Row[] = [
  {
    ...denied,
    proves: 'an entry may not go while resources of unbound namespaces have its account in their status',
    review: edited({}, '343434343434'),
    reason: 'MappingInUse',
    says: [
      '"343434343434"',
      'not bound',
      '"Queue left/behind"',
      'keep the entry',
      'delete those resources first (in AWS, too, unless they are retained;',
    ],
    neverSays: ['unbind'],
  },
  {
    ...denied,
    proves: 'nor be emptied, while they do',
    review: edited({ '343434343434': '' }),
    reason: 'MappingInUse',
    says: ['"Queue left/behind"'],
  },
  {
    ...denied,
    proves: 'nor go with the whole map',
    review: mapReview(one('343434343434'), undefined),
    reason: 'MappingInUse',
    says: ['"Queue left/behind"'],
  },
  {
    ...denied,
    proves: 'nor from data to binaryData, which ACK does not read',
    review: mapReview(
      one('343434343434'),
      configMap(name, {}, 'ack-system', { binaryData: { '343434343434': 'YXJu' } }),
    ),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    server: 'warning',
    proves: 'no mode softens that',
    review: edited({}, '343434343434'),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    proves: 'the role of an entry that ACK goes by may not move to another partition',
    review: edited({ '343434343434': arn('343434343434').replace('aws', 'aws-cn') }),
    reason: 'MappingInUse',
    says: ['"Queue left/behind"'],
  },
  {
    ...checked,
    proves: 'an entry that ACK goes by may get another role of its account',
    review: edited({ '343434343434': arn('343434343434') }),
  },
  {
    ...checked,
    proves: 'a key of pods is none that ACK goes by',
    review: edited({}, 'pods.343434343434'),
  },
  {
    ...checked,
    proves: 'a resource in a bound namespace goes by the binding, whatever account its status has',
    review: edited({}, '373737373737'),
  },
  {
    ...denied,
    proves: 'with TeamLevelCARM off a team id does not bind: ACK goes by the status',
    review: edited({}, '383838383838'),
    reason: 'MappingInUse',
    says: ['"Role left-team/of-a-team"'],
  },
  {
    ...checked,
    server: 'teams',
    proves: 'with TeamLevelCARM a team id binds: ACK does not go by the status',
    review: edited({}, '383838383838'),
  },
  {
    ...checked,
    proves: 'without ServiceLevelCARM ACK goes by no service-level key',
    review: edited({}, 's3.363636363636'),
  },
  {
    ...denied,
    server: 'services',
    proves: "with ServiceLevelCARM ACK goes by a service-level key for the service's own resources",
    review: edited({}, 's3.363636363636'),
    reason: 'MappingInUse',
    says: ['"s3.363636363636"', '"Bucket left/by-service"'],
    neverSays: ['by-no-key'],
  },
  {
    ...checked,
    server: 'services',
    proves: 'a service-level key may go where the one of the account takes its place for ACK',
    review: mapReview(
      configMap(name, { 's3.363636363636': arn('363636363636', 's3'), '363636363636': arn('363636363636') }),
      configMap(name, { '363636363636': arn('363636363636') }),
    ),
  },
  {
    ...denied,
    server: 'services',
    proves: 'the key of the account may not go while a service without a key of its own goes by it',
    review: mapReview(
      configMap(name, { 's3.363636363636': arn('363636363636', 's3'), '363636363636': arn('363636363636') }),
      configMap(name, { 's3.363636363636': arn('363636363636', 's3') }),
    ),
    reason: 'MappingInUse',
    says: ['entry "363636363636"', '"Queue left/by-no-key"'],
    neverSays: ['by-service'],
  },
  {
    ...checked,
    server: 'selectors',
    proves: 'with IAMRoleSelector ACK goes by no map',
    review: edited({}, '343434343434'),
  },
  {
    ...denied,
    server: 'systems',
    proves: 'the map of an ACK system namespace counts for the services that it serves',
    review: mapReview(one('383838383838', 'ack-iam'), configMap(name, {}, 'ack-iam')),
    reason: 'MappingInUse',
    says: ['ConfigMap ack-iam/ack-role-account-map', '"Role left-team/of-a-team"'],
  },
  {
    ...checked,
    server: 'systems',
    proves: 'and for no others',
    review: mapReview(one('343434343434', 'ack-iam'), configMap(name, {}, 'ack-iam')),
  },
  {
    ...denied,
    server: 'releases',
    proves: 'of several installations that could serve a service, each map counts',
    review: mapReview(one('343434343434', 'ack-iam'), configMap(name, {}, 'ack-iam')),
    reason: 'MappingInUse',
  },
];

const who: readonly Row[] = [
  {
    ...denied,
    proves: "ACK's own service accounts are not exempt: a FieldExport may drive them",
    review: { ...edited({ '303030303030': 'x' }), username: 'system:serviceaccount:ack-system:ack-s3-controller' },
    reason: 'InvalidRoleArn',
  },
  {
    endpoint: 'validate',
    proves: 'the namespace controller may delete a map',
    review: mapReview(accounts, undefined, { username: namespaceController }),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    ...denied,
    proves: 'the namespace controller may not break a map',
    review: { ...edited({ '303030303030': 'x' }), username: namespaceController },
    reason: 'InvalidRoleArn',
  },
  {
    ...denied,
    proves: 'the garbage collector may not delete a map in use: anyone who edits it could set an owner',
    review: mapReview(accounts, undefined, {
      username: 'system:serviceaccount:kube-system:generic-garbage-collector',
    }),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    server: 'warning',
    proves: 'no mode softens MappingInUse',
    review: edited({}, '555555555555'),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    server: 'warning',
    proves: 'nor does a mode that softens another mistake of the same change',
    review: edited({ x: 'y' }, '555555555555'),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    server: 'auditing',
    proves: 'an entry in use that becomes no role is denied as such in every mode',
    review: edited({ '555555555555': 'x' }),
    reason: 'MappingInUse',
  },
  {
    ...denied,
    server: 'warning',
    proves: 'so is an entry that ACK goes by, beside another mistake',
    review: edited({ x: 'y' }, '343434343434'),
    reason: 'MappingInUse',
  },
  ...(['warning', 'auditing'] as const).flatMap((server): Row[] => [
    {
      endpoint: 'validate',
      server,
      proves: `an entry with a role of another account follows the mode of the map's namespace: ${server}`,
      review: edited({ '303030303030': 'arn:aws:iam::313131313131:role/x' }),
      reason: 'AccountMismatch',
      outcome: server === 'warning' ? 'warned' : 'audited',
    },
    {
      endpoint: 'validate',
      server,
      proves: `an entry that is no role follows the mode of the map's namespace: ${server}`,
      review: edited({ '303030303030': 'x' }),
      reason: 'InvalidRoleArn',
      outcome: server === 'warning' ? 'warned' : 'audited',
    },
  ]),
  {
    ...notOurs,
    proves: 'another ConfigMap of the ACK system namespace is not ours',
    review: mapReview(undefined, configMap('settings', { '303030303030': 'x' })),
  },
  {
    ...notOurs,
    proves: 'a ConfigMap named like a map in another namespace is not ours',
    review: mapReview(undefined, configMap(name, { '303030303030': 'x' }, 'shop')),
  },
  {
    proves: 'a map is never changed',
    review: edited({ '303030303030': 'x' }),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
];

export const mapRows: readonly Row[] = [...entries, ...mended, ...used, ...byStatus, ...who];
