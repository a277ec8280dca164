import { type Call, type Caller, createNamespace, type MatchCase, makeSure, patchNamespace } from './match-case.ts';

const seen = ['mutate/namespaces.carm-webhook.dev'] as const;
const judged = ['mutate/namespaces.carm-webhook.dev', 'validate/namespaces.carm-webhook.dev'] as const;
/** Where the mutating entry does not look: what is being deleted, and our own namespace. */
const guarded = ['validate/namespaces.carm-webhook.dev'] as const;
const keys = ['keys/keys.carm-webhook.dev'] as const;
const unseen = [] as const;

const owner = 'services.k8s.aws/owner-account-id';
const team = 'services.k8s.aws/team-id';
const region = 'services.k8s.aws/default-region';
const inject = 'carm-webhook.dev/inject';
const mode = 'carm-webhook.dev/mode';
const account = '111122223333';

const binding = { annotations: { [owner]: account } };
const labelled = { ...binding, labels: { [inject]: 'enabled' } };
const ofTeam = { annotations: { [team]: 'payments' }, labels: { [inject]: 'enabled' } };
const optedOut = { ...binding, labels: { [inject]: 'disabled' } };
/** As it was bound before the installation. */
const unlabelled = binding;

const namespace = (fields: object): object => ({ apiVersion: 'v1', kind: 'Namespace', ...fields });
const path = (name: string): string => `/api/v1/namespaces/${name}`;

/** A row about a new namespace. */
function create(what: string, metadata: object, seenBy: MatchCase['seenBy']): MatchCase {
  return { what: `CREATE of a namespace ${what}`, call: name => createNamespace(name, metadata), seenBy };
}

/** A row about a change of a namespace that is there. */
function update(
  what: string,
  before: object,
  call: (name: string) => Call,
  seenBy: MatchCase['seenBy'],
  by?: MatchCase['by'],
): MatchCase {
  const given = (name: string) => [createNamespace(name, before)];
  return { what: `UPDATE of a namespace: ${what}`, given, call, seenBy, ...(by === undefined ? {} : { by }) };
}

/** A merge patch of the metadata. */
function patch(what: string, before: object, metadata: object, seenBy: MatchCase['seenBy']): MatchCase {
  return update(what, before, name => patchNamespace(name, metadata), seenBy);
}

const settings = {
  'carm-webhook.dev/credentials': ['chain', 'web-identity'],
  'carm-webhook.dev/hub-role-arn': ['arn:aws:iam::111122223333:role/hub', 'arn:aws:iam::444455556666:role/hub'],
  'carm-webhook.dev/external-id': ['one', 'two'],
} as const;
const annotated = (key: string, value: string | null): object => ({ annotations: { [key]: value } });

/** How pods get their role: a value that comes is judged, one that goes or stays is not. */
const settingCases: readonly MatchCase[] = Object.entries(settings).flatMap(([key, [value, other]]) => [
  create(`with ${key}`, annotated(key, value), guarded),
  create(`with an empty ${key}`, annotated(key, ''), unseen),
  patch(`${key} comes`, {}, annotated(key, value), guarded),
  patch(`another ${key}`, annotated(key, value), annotated(key, other), guarded),
  patch(`${key} goes`, annotated(key, value), annotated(key, null), unseen),
  patch(`${key} stays`, annotated(key, value), { annotations: { a: 'b' } }, unseen),
  {
    what: `UPDATE of a namespace's status: ${key} comes`,
    given: (name: string) => [createNamespace(name)],
    call: (name: string) => ({ ...patchNamespace(name, annotated(key, value)), path: `${path(name)}/status` }),
    seenBy: guarded,
  },
  {
    what: `UPDATE of a terminating namespace: ${key} comes`,
    given: (name: string) => [createNamespace(name), { method: 'DELETE' as const, path: path(name) }],
    call: (name: string) => patchNamespace(name, annotated(key, value)),
    seenBy: unseen,
  },
  {
    what: `UPDATE of kube-public: ${key} comes`,
    given: () => [makeSure('kube-public')],
    call: () => ({
      ...patchNamespace('kube-public', annotated(key, value)),
      path: `${path('kube-public')}?dryRun=All`,
    }),
    seenBy: unseen,
  },
  { ...patch(`${key} comes, by break-glass`, {}, annotated(key, value), unseen), by: 'break-glass' as const },
]);

const creations: readonly MatchCase[] = [
  create('without anything', {}, unseen),
  create('whose labels and annotations are null', { labels: null, annotations: null }, unseen),
  create('with labels and annotations of others', { labels: { a: 'b' }, annotations: { c: 'd' } }, unseen),
  create('with an owner account id', binding, judged),
  create('with a team id', { annotations: { [team]: 'payments' } }, judged),
  create('with an empty binding', { annotations: { [owner]: '', [team]: '' } }, unseen),
  create('with a region only', { annotations: { [region]: 'eu-central-1' } }, unseen),
  create('with our label only', { labels: { [inject]: 'enabled' } }, judged),
  create('with a mode only', { labels: { [mode]: 'warn' } }, judged),
  create('with an empty mode', { labels: { [mode]: '' } }, judged),
  create('with a mode that is none', { labels: { [mode]: 'Warn' } }, judged),
  create('with an inject label that says neither', { labels: { [inject]: 'false' } }, judged),
  create(
    'with every key of a namespace',
    {
      annotations: {
        [team]: 'payments',
        [owner]: account,
        [region]: 'eu-central-1',
        's3.services.k8s.aws/deletion-policy': 'retain',
      },
      labels: { [inject]: 'enabled', [mode]: 'warn' },
    },
    judged,
  ),
  create(
    'with the default deletion policy of a service only',
    { annotations: { 's3.services.k8s.aws/deletion-policy': 'retain' } },
    unseen,
  ),
  create('with a misspelled binding', { annotations: { 'services.k8s.aws/owner-account': account } }, keys),
  create(
    'with a binding under a misspelled prefix',
    { annotations: { 'service.k8s.aws/owner-account-id': account } },
    keys,
  ),
  create('with the binding as a label', { labels: { [owner]: account } }, keys),
  create('with a misspelled label', { labels: { 'carm-webhook.dev/injection': 'enabled' } }, keys),
  create('with our label as an annotation', { annotations: { [inject]: 'enabled' } }, keys),
  create(
    'with a binding, and a misspelled region',
    { annotations: { [owner]: account, 'services.k8s.aws/default_region': 'x' } },
    [...keys, ...judged],
  ),
  create('that brings a deletionTimestamp', { ...binding, deletionTimestamp: '2026-01-01T00:00:00Z' }, judged),
  {
    what: 'CREATE of a namespace with a binding, by generateName',
    call: name => createNamespace('', { name: undefined, generateName: `${name}-`, ...binding }),
    seenBy: judged,
  },
  {
    what: 'CREATE of a namespace without anything, by generateName',
    call: name => createNamespace('', { name: undefined, generateName: `${name}-` }),
    seenBy: unseen,
  },
  {
    what: 'CREATE of a namespace with a binding, as a dry run',
    call: name => ({ ...createNamespace(name, binding), path: '/api/v1/namespaces?dryRun=All' }),
    seenBy: judged,
  },
  ...['carm-webhook', 'kube-system', 'kube-public', 'kube-node-lease'].map(
    (name): MatchCase => ({
      what: `CREATE of ${name} with a binding, where it is there already`,
      given: () => [makeSure(name)],
      call: () => createNamespace(name, binding),
      seenBy: name === 'carm-webhook' ? guarded : unseen,
      status: 409,
    }),
  ),
  {
    what: 'CREATE of a namespace with a binding, by break-glass',
    by: 'break-glass',
    call: name => createNamespace(name, binding),
    seenBy: unseen,
  },
];

const changes: readonly MatchCase[] = [
  patch('a label of others, unbound', {}, { labels: { a: 'b' } }, guarded),
  patch('a label of others, bound and labelled', labelled, { labels: { a: 'b' } }, guarded),
  patch('a label of others, bound and opted out', optedOut, { labels: { a: 'b' } }, guarded),
  patch('a label of others, bound but without our label', unlabelled, { labels: { a: 'b' } }, judged),
  patch(
    'a label of others, bound but our label says neither',
    { ...binding, labels: { [inject]: 'true' } },
    { labels: { a: 'b' } },
    judged,
  ),
  patch('our label changed to what says neither', labelled, { labels: { [inject]: 'no' } }, judged),
  patch(
    'our label changed from one that says neither',
    { labels: { [inject]: 'no' } },
    { labels: { [inject]: null } },
    judged,
  ),
  patch(
    'a label of others, where ours says neither, unbound',
    { labels: { [inject]: 'no', [mode]: 'x' } },
    { labels: { a: 'b' } },
    guarded,
  ),
  patch('a mode changed to none', { labels: { [mode]: 'audit' } }, { labels: { [mode]: 'Audit' } }, judged),
  patch('a misspelled key added', {}, { annotations: { 'services.k8s.aws/owner-account': account } }, keys),
  patch(
    'a misspelled key changed',
    { annotations: { 'services.k8s.aws/owner-account': '1' } },
    { annotations: { 'services.k8s.aws/owner-account': account } },
    keys,
  ),
  patch(
    'a misspelled key kept',
    { annotations: { 'services.k8s.aws/owner-account': '1' } },
    { annotations: { a: 'b' } },
    unseen,
  ),
  patch(
    'a misspelled key removed',
    { annotations: { 'services.k8s.aws/owner-account': '1' } },
    { annotations: null },
    unseen,
  ),
  patch('a misspelled label kept', { labels: { 'carm-webhook.dev/injected': 'x' } }, { labels: { a: 'b' } }, guarded),
  update(
    'a misspelled key added, by break-glass',
    {},
    name => patchNamespace(name, { annotations: { 'services.k8s.aws/owner-account': account } }),
    unseen,
    'break-glass',
  ),
  update(
    'a misspelled key added, by the namespace controller',
    {},
    name => patchNamespace(name, { annotations: { 'services.k8s.aws/owner-account': account } }),
    unseen,
    'namespace-controller',
  ),
  patch('bound', {}, binding, judged),
  patch('bound to a team', {}, { annotations: { [team]: 'payments' } }, judged),
  patch('rebound', labelled, { annotations: { [owner]: '444455556666' } }, judged),
  patch('unbound', labelled, { annotations: { [owner]: null } }, judged),
  patch('unbound by an empty annotation', labelled, { annotations: { [owner]: '' } }, judged),
  patch('unbound from a team', ofTeam, { annotations: { [team]: null } }, judged),
  patch('moved to another team', ofTeam, { annotations: { [team]: 'search' } }, judged),
  patch('all annotations removed', labelled, { annotations: null }, judged),
  patch('our label removed', labelled, { labels: { [inject]: null } }, judged),
  patch('all labels removed', labelled, { labels: null }, judged),
  patch('our label removed, unbound', { labels: { [inject]: 'enabled' } }, { labels: { [inject]: null } }, judged),
  patch('opted out', labelled, { labels: { [inject]: 'disabled' } }, judged),
  patch('opted in again', optedOut, { labels: { [inject]: 'enabled' } }, judged),
  patch('a mode set', labelled, { labels: { [mode]: 'audit' } }, judged),
  patch('a mode removed', { labels: { [mode]: 'audit' } }, { labels: { [mode]: null } }, judged),
  patch('a region set, bound', labelled, { annotations: { [region]: 'eu-central-1' } }, judged),
  patch(
    'a region kept, bound',
    { ...labelled, annotations: { [owner]: account, [region]: 'eu-central-1' } },
    { annotations: { a: 'b' } },
    unseen,
  ),
  patch('a region removed, unbound', annotated(region, 'eu-central-1'), annotated(region, null), guarded),
  patch('the override alone, bound', labelled, annotated('carm-webhook.dev/allow-rebind', account), guarded),
  patch('the override misspelled', labelled, annotated('carm-webhook.dev/allow-rebinds', account), keys),
  patch('a label removed, unbound', { labels: { a: 'b', c: 'd' } }, { labels: { a: null } }, guarded),
  update(
    'a label, by break-glass',
    labelled,
    name => patchNamespace(name, { labels: { a: 'b' } }),
    unseen,
    'break-glass',
  ),
  ...(['status', 'finalize'] as const).map(subresource =>
    update(
      `a label, by ${subresource}`,
      labelled,
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({
          metadata: { name, ...labelled, labels: { ...labelled.labels, a: 'b' } },
          spec: { finalizers: ['kubernetes'] },
        }),
      }),
      guarded,
    ),
  ),
  patch('a region set, unbound', {}, { annotations: { [region]: 'eu-central-1' } }, guarded),
  {
    ...patch(
      'bound, with a deletionTimestamp that is only a claim',
      {},
      { ...binding, deletionTimestamp: '2026-01-01T00:00:00Z' },
      seen,
    ),
    // It may not be changed.
    status: 422,
  },
  update(
    'bound by server-side apply',
    {},
    name => ({
      method: 'PATCH',
      path: `${path(name)}?fieldManager=table`,
      contentType: 'application/apply-patch+yaml',
      body: namespace({ metadata: { name, ...binding } }),
    }),
    judged,
  ),
  update(
    'a bare object in place of a bound one',
    labelled,
    name => ({ method: 'PUT', path: path(name), body: namespace({ metadata: { name } }) }),
    judged,
  ),
  update(
    'a bare object in place of a plain one',
    {},
    name => ({ method: 'PUT', path: path(name), body: namespace({ metadata: { name } }) }),
    unseen,
  ),
  update(
    'unbound, by break-glass',
    labelled,
    name => patchNamespace(name, { annotations: null }),
    unseen,
    'break-glass',
  ),
  update(
    'our label removed, by the namespace controller',
    labelled,
    name => patchNamespace(name, { labels: { [inject]: null } }),
    unseen,
    'namespace-controller',
  ),
  ...['carm-webhook', 'kube-system', 'kube-public', 'kube-node-lease'].map(
    (name): MatchCase => ({
      what: `UPDATE of ${name}: bound and labelled`,
      given: () => [makeSure(name)],
      call: () => ({ ...patchNamespace(name, labelled), path: `${path(name)}?dryRun=All` }),
      seenBy: name === 'carm-webhook' ? guarded : unseen,
    }),
  ),
];

const subresources: readonly MatchCase[] = [
  ...(['status', 'finalize'] as const).flatMap(subresource => [
    update(
      `${subresource} with nothing of ours`,
      {},
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({ metadata: { name }, spec: { finalizers: ['kubernetes'] } }),
      }),
      unseen,
    ),
    update(
      `${subresource} that binds`,
      {},
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({ metadata: { name, ...binding }, spec: { finalizers: ['kubernetes'] } }),
      }),
      judged,
    ),
    update(
      `${subresource} that takes binding and label away`,
      labelled,
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({ metadata: { name }, spec: { finalizers: ['kubernetes'] } }),
      }),
      judged,
    ),
    update(
      `${subresource} that takes binding and label away, by break-glass`,
      labelled,
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({ metadata: { name }, spec: { finalizers: ['kubernetes'] } }),
      }),
      unseen,
      'break-glass',
    ),
  ]),
  ...(['status', 'finalize'] as const).map(subresource =>
    update(
      `${subresource} that changes our label to what says neither`,
      labelled,
      name => ({
        method: 'PUT',
        path: `${path(name)}/${subresource}`,
        body: namespace({
          metadata: { name, annotations: { [owner]: account }, labels: { [inject]: 'no' } },
          spec: { finalizers: ['kubernetes'] },
        }),
      }),
      judged,
    ),
  ),
  update(
    'status by a patch that unbinds',
    labelled,
    name => ({ ...patchNamespace(name, { annotations: { [owner]: null } }), path: `${path(name)}/status` }),
    judged,
  ),
];

/** Without the controller, a deleted namespace stays in deletion: its finalizer `kubernetes` is never taken away. */
const terminating = (metadata: object) => (name: string) => [
  createNamespace(name, metadata),
  { method: 'DELETE', path: path(name) } as const,
];

/** A row about a change of a namespace that is being deleted. */
function inDeletion(
  what: string,
  before: object,
  call: (name: string) => Call,
  seenBy: MatchCase['seenBy'],
  by: Caller = 'admin',
): MatchCase {
  return { what: `UPDATE of a terminating namespace: ${what}`, given: terminating(before), call, seenBy, by };
}

const held = { ...labelled, finalizers: ['example.com/a', 'example.com/b'] };
const put = (name: string, subresource: string, spec: object): Call => ({
  method: 'PUT',
  path: `${path(name)}/${subresource}`,
  // The phase that a namespace in deletion must have.
  body: namespace({ metadata: { name }, spec, status: { phase: 'Terminating' } }),
});

const deletions: readonly MatchCase[] = [
  {
    what: 'DELETE of a bound namespace',
    given: name => [createNamespace(name, labelled)],
    call: name => ({ method: 'DELETE', path: path(name) }),
    seenBy: unseen,
  },
  {
    what: 'UPDATE of a terminating namespace: unbound',
    given: terminating(labelled),
    call: name => patchNamespace(name, { annotations: null }),
    seenBy: guarded,
  },
  {
    what: 'UPDATE of a terminating namespace: bound',
    given: terminating({}),
    call: name => patchNamespace(name, binding),
    seenBy: guarded,
  },
  inDeletion('our label removed', labelled, name => patchNamespace(name, { labels: { [inject]: null } }), guarded),
  inDeletion(
    'our label and the binding removed',
    labelled,
    name => patchNamespace(name, { labels: null, annotations: null }),
    guarded,
  ),
  inDeletion(
    'our label removed, unbound',
    { labels: { [inject]: 'enabled' } },
    name => patchNamespace(name, { labels: null }),
    guarded,
  ),
  inDeletion('opted out', labelled, name => patchNamespace(name, { labels: { [inject]: 'disabled' } }), guarded),
  inDeletion('another label', labelled, name => patchNamespace(name, { labels: { a: 'b' } }), unseen),
  inDeletion(
    'a label of others removed',
    { labels: { [inject]: 'enabled', a: 'b' } },
    name => patchNamespace(name, { labels: { a: null } }),
    unseen,
  ),
  inDeletion('opted in', optedOut, name => patchNamespace(name, { labels: { [inject]: 'enabled' } }), guarded),
  inDeletion('disabled removed', optedOut, name => patchNamespace(name, { labels: null }), guarded),
  inDeletion('a label where there is none', {}, name => patchNamespace(name, { labels: { a: 'b' } }), unseen),
  inDeletion('a finalizer removed', held, name => patchNamespace(name, { finalizers: ['example.com/b'] }), unseen),
  inDeletion(
    'a finalizer and our label removed',
    held,
    name => patchNamespace(name, { finalizers: ['example.com/b'], labels: null }),
    guarded,
  ),
  inDeletion(
    'our label removed by its status',
    labelled,
    name => put(name, 'status', { finalizers: ['kubernetes'] }),
    guarded,
  ),
  inDeletion(
    'our label removed by its status, which does not finalize',
    labelled,
    name => put(name, 'status', { finalizers: [] }),
    guarded,
  ),
  inDeletion(
    'our label removed by its finalize, which leaves a finalizer',
    labelled,
    name => put(name, 'finalize', { finalizers: ['kubernetes'] }),
    guarded,
  ),
  inDeletion(
    'a bare object in its place, which does not finalize',
    labelled,
    name => ({ method: 'PUT', path: path(name), body: namespace({ metadata: { name } }) }),
    guarded,
  ),
  inDeletion(
    'our label removed, by break-glass',
    labelled,
    name => patchNamespace(name, { labels: null }),
    unseen,
    'break-glass',
  ),
  inDeletion(
    'our label removed, by the namespace controller',
    labelled,
    name => patchNamespace(name, { labels: null }),
    unseen,
    'namespace-controller',
  ),
  {
    what: 'UPDATE of a terminating namespace: finalized, which empties it of labels',
    given: terminating(labelled),
    call: name => ({
      method: 'PUT',
      path: `${path(name)}/finalize`,
      body: namespace({ metadata: { name }, spec: { finalizers: [] } }),
    }),
    seenBy: unseen,
  },
  {
    what: 'UPDATE of a terminating namespace: finalized, which empties it of its binding',
    given: terminating(optedOut),
    call: name => ({
      method: 'PUT',
      path: `${path(name)}/finalize`,
      body: namespace({ metadata: { name }, spec: { finalizers: [] } }),
    }),
    seenBy: unseen,
  },
];

/** Namespaces: the hardest of the expressions, and the one whose fault would stop a whole cluster. */
export const namespaceCases: readonly MatchCase[] = [
  ...creations,
  ...changes,
  ...settingCases,
  ...subresources,
  ...deletions,
];
