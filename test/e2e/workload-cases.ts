import {
  type Call,
  type Caller,
  createNamespace,
  type MatchCase,
  makeSure,
  patchNamespace,
  podTemplate,
} from './match-case.ts';

const seen = ['validate/workloads.carm-webhook.dev'] as const;
const unseen = [] as const;

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly fields: (name: string) => object;
}

const spec = (name: string): object => ({ selector: { matchLabels: { app: name } }, template: podTemplate(name) });
const jobSpec = { template: { spec: { containers: [{ name: 'app', image: 'app' }], restartPolicy: 'Never' } } };

/** Every built-in kind with a pod template. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ */
const kinds: readonly Kind[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments', fields: name => ({ spec: spec(name) }) },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets', fields: name => ({ spec: spec(name) }) },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets', fields: name => ({ spec: spec(name) }) },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets', fields: name => ({ spec: spec(name) }) },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs', fields: () => ({ spec: jobSpec }) },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    resource: 'cronjobs',
    fields: () => ({ spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: jobSpec } } }),
  },
  {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    resource: 'replicationcontrollers',
    fields: name => ({ spec: { selector: { app: name }, template: podTemplate(name) } }),
  },
  {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    resource: 'podtemplates',
    fields: name => ({ template: podTemplate(name) }),
  },
];

function pathOf({ apiVersion, resource }: Kind, namespace: string): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${root}/namespaces/${namespace}/${resource}`;
}

function create(kind: Kind, name: string, metadata: object = {}): Call {
  const { apiVersion, fields } = kind;
  const body = { apiVersion, kind: kind.kind, metadata: { name: 'web', ...metadata }, ...fields(name) };
  return { method: 'POST', path: pathOf(kind, name), body };
}

const enabled = { labels: { 'carm-webhook.dev/inject': 'enabled' } };
const annotate = { metadata: { annotations: { a: 'b' } } };

function served(what: string, call: (name: string) => Call, seenBy: MatchCase['seenBy']): MatchCase {
  return { what, given: name => [createNamespace(name, enabled)], call, seenBy };
}

const everyKind = kinds.flatMap((kind): MatchCase[] => [
  served(`CREATE of a ${kind.kind}`, name => create(kind, name), seen),
  {
    what: `UPDATE of a ${kind.kind}`,
    given: name => [createNamespace(name, enabled), create(kind, name)],
    call: name => ({ method: 'PATCH', path: `${pathOf(kind, name)}/web`, body: annotate }),
    seenBy: seen,
  },
  {
    what: `DELETE of every ${kind.kind} of a namespace`,
    given: name => [createNamespace(name, enabled), create(kind, name)],
    call: name => ({ method: 'DELETE', path: pathOf(kind, name) }),
    seenBy: unseen,
  },
  {
    what: `CREATE of a ${kind.kind} in a namespace that is not managed`,
    given: name => [createNamespace(name)],
    call: name => create(kind, name),
    seenBy: unseen,
  },
]);

const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: '6a0dd6d4-3c1f-4b8e-9d11-000000000000' };

function about(kind: string): Kind {
  const found = kinds.find(candidate => candidate.kind === kind);
  if (found === undefined) throw new Error(`${kind} is no kind of the table`);
  return found;
}

const deployment = about('Deployment');
const replicaSet = about('ReplicaSet');
const job = about('Job');
const controlled = { ...owner, controller: true };
const cronJob = { ...controlled, apiVersion: 'batch/v1', kind: 'CronJob' };
const configMap = { ...owner, apiVersion: 'v1', kind: 'ConfigMap' };

function owned(
  what: string,
  kind: Kind,
  ownerReferences: readonly object[] | undefined,
  seenBy: MatchCase['seenBy'],
  by: Caller = 'admin',
): MatchCase {
  const metadata = ownerReferences === undefined ? {} : { ownerReferences };
  return { ...served(`CREATE of ${what} by ${by}`, name => create(kind, name, metadata), seenBy), by };
}

function ofDeployment(what: string, subresource: string, body: object): MatchCase {
  return {
    what,
    given: name => [createNamespace(name, enabled), create(deployment, name)],
    call: name => ({ method: 'PATCH', path: `${pathOf(deployment, name)}/web/${subresource}`, body }),
    seenBy: unseen,
  };
}

export const workloadCases: readonly MatchCase[] = [
  ...everyKind,
  owned('a ReplicaSet of a Deployment', replicaSet, [controlled], unseen, 'deployment-controller'),
  owned('a ReplicaSet of a Deployment', replicaSet, [controlled], unseen, 'controller-manager'),
  owned(
    'a ReplicaSet of a Deployment and a ConfigMap',
    replicaSet,
    [configMap, controlled],
    unseen,
    'deployment-controller',
  ),
  owned('a Job of a CronJob', job, [cronJob], unseen, 'cronjob-controller'),
  owned('a Job of a CronJob', job, [cronJob], unseen, 'controller-manager'),
  owned('a ReplicaSet of a Deployment', replicaSet, [controlled], seen),
  owned('a Job of a CronJob', job, [cronJob], seen),
  owned('a ReplicaSet of a Deployment', replicaSet, [controlled], seen, 'cronjob-controller'),
  owned('a Job of a CronJob', job, [cronJob], seen, 'deployment-controller'),
  owned('a Job of a Deployment', job, [controlled], seen, 'controller-manager'),
  owned('a ReplicaSet of a CronJob', replicaSet, [cronJob], seen, 'controller-manager'),
  owned('a ReplicaSet of a ConfigMap', replicaSet, [{ ...configMap, controller: true }], seen, 'deployment-controller'),
  owned('a Deployment of a ConfigMap', deployment, [{ ...configMap, controller: true }], seen),
  owned('a StatefulSet of a Deployment', about('StatefulSet'), [controlled], seen, 'deployment-controller'),
  owned(
    "a ReplicaSet of another group's Deployment",
    replicaSet,
    [{ ...controlled, apiVersion: 'apigateway.services.k8s.aws/v1alpha1' }],
    seen,
    'deployment-controller',
  ),
  owned(
    'a ReplicaSet that is owned, but by no controller',
    replicaSet,
    [owner, { ...owner, name: 'b', controller: false }],
    seen,
    'deployment-controller',
  ),
  owned('a ReplicaSet without owners', replicaSet, undefined, seen, 'deployment-controller'),
  owned('a ReplicaSet with no owner', replicaSet, [], seen, 'controller-manager'),
  {
    ...owned('a ReplicaSet of a Deployment', replicaSet, [controlled], unseen, 'deployment-controller'),
    what: 'UPDATE of a ReplicaSet by the controller that made it',
    given: name => [createNamespace(name, enabled), create(replicaSet, name, { ownerReferences: [controlled] })],
    call: name => ({ method: 'PATCH', path: `${pathOf(replicaSet, name)}/web`, body: annotate }),
  },
  {
    what: 'UPDATE of a ReplicaSet of a Deployment by a user',
    given: name => [createNamespace(name, enabled), create(replicaSet, name, { ownerReferences: [controlled] })],
    call: name => ({ method: 'PATCH', path: `${pathOf(replicaSet, name)}/web`, body: annotate }),
    seenBy: seen,
  },
  { ...served('CREATE of a Deployment by break-glass', name => create(deployment, name), unseen), by: 'break-glass' },
  ...['carm-webhook', 'kube-system', 'kube-public', 'kube-node-lease'].map(
    (namespace): MatchCase => ({
      what: `CREATE of a Deployment in ${namespace}, labelled`,
      given: () => [makeSure(namespace), patchNamespace(namespace, enabled)],
      call: () => ({ ...create(deployment, namespace), path: `${pathOf(deployment, namespace)}?dryRun=All` }),
      seenBy: unseen,
    }),
  ),
  ofDeployment('scaling of a Deployment', 'scale', { spec: { replicas: 3 } }),
  ofDeployment("UPDATE of a Deployment's status", 'status', { status: { observedGeneration: 1 } }),
];
