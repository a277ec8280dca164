/** Objects as kube-apiserver hands them to webhooks: with defaults, `managedFields` and the ServiceAccount's own token. */

export type Json = Readonly<Record<string, unknown>>;

export interface EnvEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Json;
}

const managedFields = [
  {
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
  },
];

const apiAccessMount = {
  name: 'kube-api-access-x7k2p',
  readOnly: true,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
};
const apiAccessVolume = {
  name: 'kube-api-access-x7k2p',
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ],
    defaultMode: 420,
  },
};

export interface ContainerOptions {
  readonly env?: readonly EnvEntry[];
  readonly mounts?: readonly Json[];
  readonly more?: Json;
}

export function container(name = 'app', { env, mounts = [], more = {} }: ContainerOptions = {}): Json {
  return {
    name,
    image: 'registry.example.com/app:1.4',
    ...(env === undefined ? {} : { env }),
    resources: { requests: { cpu: '100m' } },
    volumeMounts: [apiAccessMount, ...mounts],
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
    ...more,
  };
}

export interface PodOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly metadata?: Json;
  readonly labels?: Json;
  readonly annotations?: Json;
  readonly serviceAccountName?: string;
  readonly containers?: readonly Json[];
  readonly initContainers?: readonly Json[];
  readonly ephemeralContainers?: readonly Json[];
  readonly volumes?: readonly Json[];
  readonly spec?: Json;
}

export function pod(options: PodOptions = {}): Json {
  const { labels, annotations, initContainers, ephemeralContainers } = options;
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: options.name ?? 'web',
      namespace: options.namespace ?? 'shop',
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      managedFields,
      ...options.metadata,
    },
    spec: {
      volumes: [apiAccessVolume, ...(options.volumes ?? [])],
      ...(initContainers === undefined ? {} : { initContainers }),
      containers: options.containers ?? [container()],
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers }),
      restartPolicy: 'Always',
      serviceAccountName: options.serviceAccountName ?? 'default',
      serviceAccount: options.serviceAccountName ?? 'default',
      ...options.spec,
    },
    status: {},
  };
}

/** A pod whose one container sets these variables. */
export function podWithEnv(env: readonly EnvEntry[], options: PodOptions = {}): Json {
  return pod({ containers: [container('app', { env })], ...options });
}

export function tokenVolume(audience = 'sts.amazonaws.com', expirationSeconds = 86_400, path = 'token'): Json {
  return {
    name: 'aws-iam-token',
    projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds, path } }] },
  };
}

/** That of chain mode; without an audience the one over EKS Pod Identity, which needs no token. */
export function chainVolume(audience: string | undefined = 'sts.amazonaws.com', expirationSeconds = 86_400): Json {
  const serviceAccountToken = { audience, expirationSeconds, path: 'token' };
  const fieldRef = { fieldPath: "metadata.annotations['carm-webhook.dev/aws-config']" };
  const downwardAPI = { items: [{ path: 'config', fieldRef }] };
  return {
    name: 'aws-iam-token',
    projected: { sources: [...(audience === '' ? [] : [{ serviceAccountToken }]), { downwardAPI }] },
  };
}

export const tokenMount = {
  name: 'aws-iam-token',
  mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
  readOnly: true,
} as const;

export const tokenFile = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';

/** The name of its sessions. */
export const sessionEntry = (serviceAccountName = 'default', namespace = 'shop'): EnvEntry => ({
  name: 'AWS_ROLE_SESSION_NAME',
  value: `${namespace}.${serviceAccountName}`,
});

export interface InjectedFor {
  readonly region?: string;
  readonly namespace?: string;
  readonly serviceAccountName?: string;
}

/** Everything that is appended to the environment of a container in a pod. */
export function injectedEnv(
  roleArn: string,
  { region, namespace, serviceAccountName }: InjectedFor = {},
): readonly EnvEntry[] {
  return [
    { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
    ...(region === undefined
      ? []
      : [
          { name: 'AWS_DEFAULT_REGION', value: region },
          { name: 'AWS_REGION', value: region },
        ]),
    { name: 'AWS_ROLE_ARN', value: roleArn },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile },
    sessionEntry(serviceAccountName, namespace),
  ];
}

export const configFile = '/var/run/secrets/eks.amazonaws.com/serviceaccount/config';

/** Everything that is appended to the environment of a container in chain mode. */
export function chainedEnv({ region }: Pick<InjectedFor, 'region'> = {}): readonly EnvEntry[] {
  return [
    ...injectedEnv('', region === undefined ? {} : { region }).slice(0, region === undefined ? 1 : 3),
    { name: 'AWS_CONFIG_FILE', value: configFile },
    { name: 'AWS_SDK_LOAD_CONFIG', value: '1' },
    { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' },
  ];
}

export function namespaceObject(name: string, annotations?: Json, labels?: Json, metadata: Json = {}): Json {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      managedFields,
      ...metadata,
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

function templateOf(podObject: Json): Json {
  const { metadata, spec } = podObject as { metadata: Json; spec: Json };
  const { labels = { app: 'web' }, annotations } = metadata;
  return { metadata: { labels, ...(annotations === undefined ? {} : { annotations }) }, spec };
}

const workloadForms: Readonly<Record<string, { readonly resource: string; readonly body: (template: Json) => Json }>> =
  {
    Deployment: { resource: 'apps/v1/deployments', body: template => ({ spec: { replicas: 2, template } }) },
    ReplicaSet: { resource: 'apps/v1/replicasets', body: template => ({ spec: { replicas: 2, template } }) },
    StatefulSet: { resource: 'apps/v1/statefulsets', body: template => ({ spec: { serviceName: 'web', template } }) },
    DaemonSet: { resource: 'apps/v1/daemonsets', body: template => ({ spec: { template } }) },
    Job: { resource: 'batch/v1/jobs', body: template => ({ spec: { backoffLimit: 1, template } }) },
    CronJob: {
      resource: 'batch/v1/cronjobs',
      body: template => ({ spec: { schedule: '@daily', jobTemplate: { spec: { template } } } }),
    },
    ReplicationController: {
      resource: '/v1/replicationcontrollers',
      body: template => ({ spec: { replicas: 1, template } }),
    },
    PodTemplate: { resource: '/v1/podtemplates', body: template => ({ template }) },
  };

export const workloadKindNames = Object.keys(workloadForms);

/** A workload of a built-in kind around a pod, and the resource by which the API server serves it. */
export function workload(
  kind: string,
  podObject: Json,
  options: { readonly namespace?: string; readonly metadata?: Json } = {},
): { readonly object: Json; readonly resource: string } {
  const form = workloadForms[kind];
  if (form === undefined) throw new Error(`no workload of kind ${kind}`);
  const [group, version] = form.resource.split('/');
  const object = {
    kind,
    apiVersion: group === '' ? version : `${group}/${version}`,
    metadata: {
      name: 'web',
      namespace: options.namespace ?? 'shop',
      generation: 1,
      managedFields,
      ...options.metadata,
    },
    ...form.body(templateOf(podObject)),
  };
  return { object, resource: form.resource };
}
