/** The objects that tests create, and what they read of them. */

export const ownerAnnotation = 'services.k8s.aws/owner-account-id';
export const injectLabel = 'carm-webhook.dev/inject';
export const roleArnAnnotation = 'carm-webhook.dev/role-arn';
export const tokenMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

type Texts = Readonly<Record<string, string>>;

export interface Metadata {
  readonly annotations?: Texts;
  readonly labels?: Texts;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container */
export interface Container {
  readonly name: string;
  readonly env?: readonly EnvVar[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly [field: string]: unknown;
}

export interface Volume {
  readonly name: string;
  readonly [source: string]: unknown;
}

/** A pod as the API server gives it. */
export interface StoredPod {
  readonly metadata: Metadata & {
    readonly namespace: string;
    readonly name: string;
    readonly resourceVersion: string;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly volumes?: readonly Volume[];
    readonly serviceAccountName?: string;
  };
}

/** What a test says of a pod beyond one container `app` of ServiceAccount `app`. */
export interface PodFields extends Metadata {
  readonly serviceAccountName?: string;
  readonly containers?: readonly Container[];
  readonly [field: string]: unknown;
}

export function container(fields: Partial<Container> = {}): Container {
  return { name: 'app', image: 'app', ...fields };
}

/** A container that only differs by its environment. */
export function containerWith(...env: readonly EnvVar[]): Container {
  return container({ env });
}

/** Metadata and spec of a pod. */
export function podTemplate(fields: PodFields = {}): { readonly metadata: Metadata; readonly spec: object } {
  const { annotations, labels, ...spec } = fields;
  return {
    metadata: { ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: { serviceAccountName: 'app', containers: [container()], ...spec },
  };
}

export function pod(namespace: string, name: string, fields: PodFields = {}): object {
  const { metadata, spec } = podTemplate(fields);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, ...metadata }, spec };
}

/** The pod template of a workload whose selector is `app: NAME`. */
function selectedTemplate(name: string, fields: PodFields): object {
  return podTemplate({ ...fields, labels: { ...fields.labels, app: name } });
}

export function deployment(namespace: string, name: string, fields: PodFields = {}): object {
  const spec = { selector: { matchLabels: { app: name } }, template: selectedTemplate(name, fields) };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
}

export function statefulSet(namespace: string, name: string, fields: PodFields = {}): object {
  const spec = {
    selector: { matchLabels: { app: name } },
    serviceName: name,
    template: selectedTemplate(name, fields),
  };
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name, namespace }, spec };
}

export function jobSpec(fields: PodFields = {}): object {
  return { template: podTemplate({ ...fields, restartPolicy: 'Never' }) };
}

export function job(namespace: string, name: string, fields: PodFields = {}): object {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace }, spec: jobSpec(fields) };
}

export function cronJob(namespace: string, name: string, fields: PodFields = {}): object {
  const spec = { schedule: '0 0 1 1 *', jobTemplate: { spec: jobSpec(fields) } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name, namespace }, spec };
}

export function namespace(name: string, metadata: Metadata = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
}

/** A namespace bound to an account. */
export function boundNamespace(name: string, accountId: string, metadata: Metadata = {}): object {
  return namespace(name, { ...metadata, annotations: { [ownerAnnotation]: accountId, ...metadata.annotations } });
}

export function serviceAccount(inNamespace: string, name: string, annotations: Texts = {}): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: inNamespace, annotations } };
}

/** The account map (or the team map) with this data. */
export function roleMap(data: Texts, name = 'ack-role-account-map'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ack-system' }, data };
}

/** The whole environment that is injected into a container without any, in its order. */
export function injectedEnvironment(roleArn: string, region?: string, sessionName = 'shop.app'): readonly EnvVar[] {
  const regional = ['AWS_DEFAULT_REGION', 'AWS_REGION'].map(name => ({ name, value: region ?? '' }));
  return [
    { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
    ...(region === undefined ? [] : regional),
    { name: 'AWS_ROLE_ARN', value: roleArn },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${tokenMountPath}/token` },
    { name: 'AWS_ROLE_SESSION_NAME', value: sessionName },
  ];
}

/** The volume that is injected, as the API server stores it: with its own default mode. */
export const storedTokenVolume: Volume = {
  name: 'aws-iam-token',
  projected: {
    sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } }],
    defaultMode: 420,
  },
};

export const storedTokenMount = { name: 'aws-iam-token', readOnly: true, mountPath: tokenMountPath };
