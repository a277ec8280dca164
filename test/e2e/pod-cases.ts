import { type Call, createNamespace, type MatchCase, makeSure, patchNamespace, pod } from './match-case.ts';

const seen = ['mutate/pods.carm-webhook.dev', 'validate/pods.carm-webhook.dev'] as const;
const unseen = [] as const;

const enabled = { labels: { 'carm-webhook.dev/inject': 'enabled' } };

const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const createPod = (namespace: string, metadata: object = {}): Call => ({
  method: 'POST',
  path: pods(namespace),
  body: { ...pod('web'), metadata: { name: 'web', ...metadata } },
});

/** A row in a namespace that is served. */
function served(what: string, call: (name: string) => Call, seenBy: MatchCase['seenBy']): MatchCase {
  return { what, given: name => [createNamespace(name, enabled)], call, seenBy };
}

/** A row about a pod that is there, in a namespace that is served. */
function withPod(what: string, call: (name: string) => Call, seenBy: MatchCase['seenBy']): MatchCase {
  return { what, given: name => [createNamespace(name, enabled), createPod(name)], call, seenBy };
}

/** A row in a namespace that is not managed. */
function elsewhere(what: string, labels: object): MatchCase {
  return {
    what: `CREATE of a pod in a namespace ${what}`,
    given: name => [createNamespace(name, { labels })],
    call: name => createPod(name),
    seenBy: unseen,
  };
}

/** A row in a namespace that is never served, though it is labelled. */
function excluded(namespace: string): MatchCase {
  return {
    what: `CREATE of a pod in ${namespace}, labelled`,
    given: () => [makeSure(namespace), patchNamespace(namespace, enabled)],
    call: () => ({ ...createPod(namespace), path: `${pods(namespace)}?dryRun=All` }),
    seenBy: unseen,
  };
}

const configKey = 'carm-webhook.dev/aws-config';
const config = (text: string | null): object => ({ metadata: { annotations: { [configKey]: text } } });

/** The calls by which an API server could change the annotations of a pod, and whether the webhook must see that. */
const configCases: readonly MatchCase[] = [
  ...['', '/status', '/ephemeralcontainers', '/resize'].flatMap((subresource): readonly MatchCase[] => {
    const path = (name: string) => `${pods(name)}/web${subresource}`;
    const ways: readonly (readonly [what: string, given: string | undefined, text: string | null])[] = [
      ['comes', undefined, 'new'],
      ['changes', 'old', 'new'],
      ['is emptied', 'old', ''],
      ['goes', 'old', null],
    ];
    // The API server takes the annotations of the stored pod there: run on 1.36.
    const leavesThem = subresource === '/ephemeralcontainers' || subresource === '/resize';
    const guarded = leavesThem ? [] : (['validate/pods.carm-webhook.dev'] as const);
    return ways.map(([what, given, text]) => ({
      what: `UPDATE of pods${subresource}: its AWS config ${what}`,
      given: name => [
        createNamespace(name, enabled),
        createPod(name, given === undefined ? {} : { annotations: { [configKey]: given } }),
      ],
      call: name => ({ method: 'PATCH', path: path(name), body: config(text) }),
      seenBy: subresource === '/ephemeralcontainers' ? seen : guarded,
      // https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
      ...(subresource === '/resize' && { since: '1.33' }),
    }));
  }),
  ...['', '/status'].map(
    (subresource): MatchCase => ({
      what: `UPDATE of pods${subresource} by server-side apply: its AWS config changes`,
      given: name => [createNamespace(name, enabled), createPod(name, { annotations: { [configKey]: 'old' } })],
      call: name => ({
        method: 'PATCH',
        path: `${pods(name)}/web${subresource}?fieldManager=table&force=true`,
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', annotations: { [configKey]: 'new' } } },
        contentType: 'application/apply-patch+yaml',
      }),
      seenBy: ['validate/pods.carm-webhook.dev'],
    }),
  ),
  {
    ...withPod(
      'UPDATE of a pod by break-glass: its AWS config comes',
      name => ({ method: 'PATCH', path: `${pods(name)}/web`, body: config('new') }),
      unseen,
    ),
    by: 'break-glass',
  },
  {
    what: 'UPDATE of a pod in a namespace that is not served: its AWS config comes',
    given: name => [createNamespace(name), createPod(name)],
    call: name => ({ method: 'PATCH', path: `${pods(name)}/web`, body: config('new') }),
    seenBy: unseen,
  },
  {
    what: 'UPDATE of a pod with an AWS config: a label',
    given: name => [createNamespace(name, enabled), createPod(name, { annotations: { [configKey]: 'old' } })],
    call: name => ({ method: 'PATCH', path: `${pods(name)}/web`, body: { metadata: { labels: { a: 'b' } } } }),
    seenBy: unseen,
  },
  ...[true, false].flatMap((ofPod): readonly MatchCase[] => {
    const bind = (name: string, annotations: object): Call => ({
      method: 'POST',
      path: ofPod ? `${pods(name)}/web/binding` : `/api/v1/namespaces/${name}/bindings`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'web', annotations },
        target: { kind: 'Node', name: 'node-1' },
      },
    });
    const what = `CREATE of ${ofPod ? 'pods/binding' : 'bindings'}`;
    return [
      withPod(what, name => bind(name, {}), unseen),
      withPod(`${what} with another annotation`, name => bind(name, { 'scheduler.example/score': '7' }), unseen),
      withPod(`${what} with an AWS config`, name => bind(name, { [configKey]: 'new' }), [
        'validate/pods.carm-webhook.dev',
      ]),
      withPod(`${what} with an empty AWS config`, name => bind(name, { [configKey]: '' }), [
        'validate/pods.carm-webhook.dev',
      ]),
    ];
  }),
];

const debug = { spec: { ephemeralContainers: [{ name: 'debugger', image: 'debug' }] } };

export const podCases: readonly MatchCase[] = [
  served('CREATE of a pod', name => createPod(name), seen),
  served('CREATE of a pod by generateName', name => createPod(name, { name: undefined, generateName: 'web-' }), seen),
  served('CREATE of a pod as a dry run', name => ({ ...createPod(name), path: `${pods(name)}?dryRun=All` }), seen),
  // No label of a pod lifts the boundary: the webhook itself heeds it.
  served(
    'CREATE of a pod that opts out',
    name => createPod(name, { labels: { 'carm-webhook.dev/inject': 'disabled' } }),
    seen,
  ),
  { ...served('CREATE of a pod by break-glass', name => createPod(name), unseen), by: 'break-glass' },
  withPod(
    'UPDATE of a pod',
    name => ({ method: 'PATCH', path: `${pods(name)}/web`, body: { metadata: { labels: { a: 'b' } } } }),
    unseen,
  ),
  withPod(
    "UPDATE of a pod's status",
    name => ({ method: 'PATCH', path: `${pods(name)}/web/status`, body: { status: { phase: 'Running' } } }),
    unseen,
  ),
  withPod(
    'UPDATE of ephemeral containers',
    name => ({ method: 'PATCH', path: `${pods(name)}/web/ephemeralcontainers`, body: debug }),
    seen,
  ),
  {
    ...withPod(
      'UPDATE of ephemeral containers by break-glass',
      name => ({ method: 'PATCH', path: `${pods(name)}/web/ephemeralcontainers`, body: debug }),
      unseen,
    ),
    by: 'break-glass',
  },
  ...configCases,
  withPod('DELETE of a pod', name => ({ method: 'DELETE', path: `${pods(name)}/web` }), unseen),
  withPod('DELETE of every pod of a namespace', name => ({ method: 'DELETE', path: pods(name) }), unseen),
  elsewhere('without our label', {}),
  elsewhere('labelled disabled', { 'carm-webhook.dev/inject': 'disabled' }),
  elsewhere('labelled with another word', { 'carm-webhook.dev/inject': 'true' }),
  excluded('kube-system'),
  excluded('kube-public'),
  excluded('kube-node-lease'),
  excluded('carm-webhook'),
];
