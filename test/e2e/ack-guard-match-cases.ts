import { ackPath, roleSelector, roleSelectorKind } from './ack-crds.ts';
import {
  type Call,
  type Caller,
  createNamespace,
  type Entry,
  type MatchCase,
  makeSure,
  patchNamespace,
} from './match-case.ts';

const unseen: readonly Entry[] = [];
const maps: readonly Entry[] = ['validate/maps.carm-webhook.dev'];
const selectors: readonly Entry[] = ['validate/selectors.carm-webhook.dev'];
const namespaces: readonly Entry[] = ['validate/namespaces.carm-webhook.dev'];

const ackSystem = 'ack-system';
const accountMap = 'ack-role-account-map';
const teamMap = 'ack-role-team-map';
const data = { '111122223333': 'arn:aws:iam::111122223333:role/ack' };

const configMaps = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
const createMap = (namespace: string, name: string): Call => ({
  method: 'POST',
  path: configMaps(namespace),
  body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
});
const changeMap = (name: string, body: object): Call => ({
  method: 'PATCH',
  path: `${configMaps(ackSystem)}/${name}`,
  body,
});
const emptied: readonly Call[] = [makeSure(ackSystem), { method: 'DELETE', path: configMaps(ackSystem) }];
const filled =
  (...names: readonly string[]) =>
  () => [...emptied, ...names.map(name => createMap(ackSystem, name))];

const mapCases: readonly MatchCase[] = [
  ...[accountMap, teamMap].flatMap((name): readonly MatchCase[] => [
    { what: `CREATE of ${name}`, given: filled(), call: () => createMap(ackSystem, name), seenBy: maps },
    { what: `UPDATE of ${name}`, given: filled(name), call: () => changeMap(name, { data: { a: 'b' } }), seenBy: maps },
    {
      what: `DELETE of ${name}`,
      given: filled(name),
      call: () => ({ method: 'DELETE', path: `${configMaps(ackSystem)}/${name}` }),
      seenBy: maps,
    },
  ]),
  {
    what: 'CREATE of a map by server-side apply',
    given: filled(),
    call: () => ({
      method: 'PATCH',
      path: `${configMaps(ackSystem)}/${accountMap}?fieldManager=table`,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: accountMap }, data },
      contentType: 'application/apply-patch+yaml',
    }),
    seenBy: maps,
  },
  {
    what: 'UPDATE of a map: a label',
    given: filled(accountMap),
    call: () => changeMap(accountMap, { metadata: { labels: { a: 'b' } } }),
    seenBy: maps,
  },
  {
    what: 'DELETE of all ConfigMaps of the ACK system namespace',
    given: filled(accountMap, teamMap, 'other'),
    call: () => ({ method: 'DELETE', path: configMaps(ackSystem) }),
    seenBy: [...maps, ...maps],
  },
  {
    what: 'DELETE of all ConfigMaps of the ACK system namespace, neither map among them',
    given: filled('other'),
    call: () => ({ method: 'DELETE', path: configMaps(ackSystem) }),
    seenBy: unseen,
  },
  {
    what: 'CREATE of another ConfigMap in the ACK system namespace',
    given: filled(),
    call: () => createMap(ackSystem, 'other'),
    seenBy: unseen,
  },
  {
    what: 'CREATE of a ConfigMap of the same name elsewhere',
    given: name => [createNamespace(name)],
    call: name => createMap(name, accountMap),
    seenBy: unseen,
  },
  {
    what: 'CREATE of a ConfigMap of the same name in a namespace that calls itself another',
    given: name => [createNamespace(name, { labels: { 'carm-webhook.dev/inject': 'enabled' } })],
    call: name => createMap(name, accountMap),
    seenBy: unseen,
  },
  ...(
    [
      ['break-glass', false, false],
      ['namespace-controller', true, false],
      ['garbage-collector', true, true],
      ['ack-controller', true, true],
      ['ack-lookalike', true, true],
    ] as const
  ).flatMap(([by, update, remove]: readonly [Caller, boolean, boolean]): readonly MatchCase[] => [
    {
      what: `UPDATE of a map by ${by}`,
      by,
      given: filled(accountMap),
      call: () => changeMap(accountMap, { data: { a: 'b' } }),
      seenBy: update ? maps : unseen,
    },
    {
      what: `DELETE of a map by ${by}`,
      by,
      given: filled(accountMap),
      call: () => ({ method: 'DELETE', path: `${configMaps(ackSystem)}/${accountMap}` }),
      seenBy: remove ? maps : unseen,
    },
  ]),
];

const createSelector = (name: string): Call => ({
  method: 'POST',
  path: ackPath(roleSelectorKind, ''),
  body: roleSelector(name, { arn: `arn:aws:iam::111122223333:role/${name}` }),
});
const changeSelector = (name: string, body: object, subresource = ''): Call => ({
  method: 'PATCH',
  path: `${ackPath(roleSelectorKind, '', name)}${subresource}`,
  body,
});

const selectorCases: readonly MatchCase[] = [
  { what: 'CREATE of an IAMRoleSelector', call: createSelector, seenBy: selectors },
  { what: 'CREATE of an IAMRoleSelector by break-glass', by: 'break-glass', call: createSelector, seenBy: unseen },
  ...[
    { what: 'its spec', body: { spec: { namespaceSelector: { names: ['team-a'] } } }, seenBy: selectors },
    { what: 'a label', body: { metadata: { labels: { a: 'b' } } }, seenBy: unseen },
    { what: 'its status', body: { status: {} }, subresource: '/status', seenBy: unseen },
  ].map(
    ({ what, body, subresource, seenBy }): MatchCase => ({
      what: `UPDATE of an IAMRoleSelector: ${what}`,
      given: name => [createSelector(name)],
      call: name => changeSelector(name, body, subresource),
      seenBy,
    }),
  ),
  ...(
    [
      ['DELETE of an IAMRoleSelector', undefined, selectors],
      ['DELETE of an IAMRoleSelector by break-glass', 'break-glass', unseen],
      ['DELETE of an IAMRoleSelector by ack-controller', 'ack-controller', selectors],
      ['DELETE of an IAMRoleSelector by garbage-collector', 'garbage-collector', selectors],
    ] as const
  ).map(
    ([what, by, seenBy]): MatchCase => ({
      what,
      ...(by && { by }),
      given: name => [createSelector(name)],
      call: name => ({ method: 'DELETE', path: ackPath(roleSelectorKind, '', name) }),
      seenBy,
    }),
  ),
];

const endpoint = (url: string | null): object => ({ annotations: { 'services.k8s.aws/endpoint-url': url } });
const evil = endpoint('https://evil.example');
const created = (metadata: object) => (name: string) => [createNamespace(name, metadata)];

const endpointCases: readonly MatchCase[] = [
  { what: 'CREATE of a namespace with an endpoint', call: name => createNamespace(name, evil), seenBy: namespaces },
  {
    what: 'CREATE of a namespace with an empty endpoint',
    call: name => createNamespace(name, endpoint('')),
    seenBy: unseen,
  },
  {
    what: 'UPDATE of a namespace: an endpoint comes',
    given: created({}),
    call: name => patchNamespace(name, evil),
    seenBy: namespaces,
  },
  {
    what: 'UPDATE of a namespace: another endpoint',
    given: created(evil),
    call: name => patchNamespace(name, endpoint('https://worse.example')),
    seenBy: namespaces,
  },
  {
    what: 'UPDATE of a namespace: its endpoint goes',
    given: created(evil),
    call: name => patchNamespace(name, endpoint(null)),
    seenBy: unseen,
  },
  {
    what: 'UPDATE of a namespace with an endpoint: a label',
    given: created(evil),
    call: name => patchNamespace(name, { labels: { a: 'b' } }),
    seenBy: namespaces,
  },
  {
    what: 'UPDATE of a terminating namespace: an endpoint comes',
    given: name => [createNamespace(name), { method: 'DELETE', path: `/api/v1/namespaces/${name}` }],
    call: name => patchNamespace(name, evil),
    seenBy: namespaces,
  },
  {
    what: 'UPDATE of kube-public: an endpoint comes',
    given: () => [makeSure('kube-public')],
    call: () => ({ ...patchNamespace('kube-public', evil), path: '/api/v1/namespaces/kube-public?dryRun=All' }),
    seenBy: namespaces,
  },
  ...['status', 'finalize'].map(
    (subresource): MatchCase => ({
      what: `UPDATE of a namespace's ${subresource}: an endpoint comes`,
      given: created({}),
      call: name => ({
        method: 'PUT',
        path: `/api/v1/namespaces/${name}/${subresource}`,
        body: {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, ...evil },
          spec: { finalizers: ['kubernetes'] },
        },
      }),
      seenBy: namespaces,
    }),
  ),
  ...(['break-glass', 'namespace-controller', 'garbage-collector'] as const).map(
    (by): MatchCase => ({
      what: `UPDATE of a namespace: an endpoint comes, by ${by}`,
      by,
      given: created({}),
      call: name => patchNamespace(name, evil),
      seenBy: unseen,
    }),
  ),
];

/** The maps, the selectors, and the endpoint of a namespace. */
export const guardMatchCases: readonly MatchCase[] = [...mapCases, ...selectorCases, ...endpointCases];
