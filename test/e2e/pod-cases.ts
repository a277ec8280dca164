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
