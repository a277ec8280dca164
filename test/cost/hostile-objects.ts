/**
 * Objects that are made to be expensive: one field holds nearly all of their bytes. Each field is grown to a number of bytes
 * as a tenant would write it, with everything else small.
 */

type Json = Record<string, unknown>;

/** Grows one field of an object to about so many bytes of JSON. */
export type Grow = (object: Json, bytes: number) => void;

function times<T>(bytes: number, each: number, item: (index: number) => T): T[] {
  return Array.from({ length: Math.max(1, Math.floor(bytes / each)) }, (_, index) => item(index));
}

function record(bytes: number, each: number, key: (index: number) => string, value = ''): Json {
  return Object.fromEntries(times(bytes, each, index => [key(index), value]));
}

function metadataOf(object: Json): Json {
  object['metadata'] ??= {};
  return object['metadata'] as Json;
}

function annotate(object: Json, annotations: Json): void {
  const metadata = metadataOf(object);
  metadata['annotations'] = { ...Object(metadata['annotations']), ...annotations };
}

/** Annotations are 256 KiB in all; more of them are denied at once. */
const annotationBytes = 250_000;

/** Fields of any object's metadata. */
export const metadataFields: Readonly<Record<string, Grow>> = {
  labels: (object, bytes) => {
    metadataOf(object)['labels'] = record(bytes, 12, index => `k${index}`);
  },
  'labels with the key of one of ours, nearly': (object, bytes) => {
    metadataOf(object)['labels'] = record(bytes, 30, index => `carm-webhok${index}/inject`);
  },
  'annotations, short': (object, bytes) =>
    annotate(
      object,
      record(bytes, 12, index => `a${index}`),
    ),
  'annotations that are near misses': (object, bytes) =>
    annotate(
      object,
      record(Math.min(bytes, annotationBytes), 32, index => `eks.amazonaws.co${index % 10}${index}/role-arn`),
    ),
  'annotations under our prefixes, of no known name': (object, bytes) =>
    annotate(
      object,
      record(Math.min(bytes, annotationBytes), 45, index => `services.k8s.aws/own-account-id-${index}`),
    ),
  'one annotation': (object, bytes) => annotate(object, { a: 'x'.repeat(bytes) }),
  'skip-containers': (object, bytes) =>
    annotate(object, { 'eks.amazonaws.com/skip-containers': 'a,'.repeat(Math.min(bytes, annotationBytes) / 2) }),
  'token-expiration': (object, bytes) =>
    annotate(object, { 'eks.amazonaws.com/token-expiration': '9'.repeat(Math.min(bytes, annotationBytes)) }),
  finalizers: (object, bytes) => {
    metadataOf(object)['finalizers'] = times(bytes, 42, index => `finalizers.s3.services.k8s.aws/B${index}`);
  },
  'owner references': (object, bytes) => {
    metadataOf(object)['ownerReferences'] = times(bytes, 70, index => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: `${index}`,
      uid: `${index}`,
    }));
  },
  'managed fields': (object, bytes) => {
    metadataOf(object)['managedFields'] = [{ manager: 'x', fieldsV1: record(bytes, 14, index => `f:${index}`) }];
  },
};

function specOf(object: Json): Json {
  object['spec'] ??= {};
  return object['spec'] as Json;
}

function addContainers(object: Json, containers: readonly Json[], field = 'containers'): void {
  const spec = specOf(object);
  spec[field] = [...((spec[field] as Json[] | undefined) ?? []), ...containers];
}

function addToFirst(object: Json, more: Json): void {
  const spec = specOf(object);
  const [first, ...others] = (spec['containers'] as Json[] | undefined) ?? [];
  spec['containers'] = [{ name: 'app', ...first, ...more }, ...others];
}

const role = 'arn:aws:iam::111111111111:role/mine';

/** Fields of a pod's spec. */
export const podFields: Readonly<Record<string, Grow>> = {
  containers: (object, bytes) =>
    addContainers(
      object,
      times(bytes, 14, index => ({ name: `c${index}` })),
    ),
  'containers without a name': (object, bytes) =>
    addContainers(
      object,
      times(bytes, 3, () => ({})),
    ),
  'a thousand containers': (object, bytes) =>
    addContainers(
      object,
      times(990, 1, index => ({ name: `d${index}`, args: ['x'.repeat(Math.floor(bytes / 990))] })),
    ),
  'init containers': (object, bytes) =>
    addContainers(
      object,
      times(bytes, 14, index => ({ name: `i${index}` })),
      'initContainers',
    ),
  'ephemeral containers': (object, bytes) =>
    addContainers(
      object,
      times(bytes, 14, index => ({ name: `e${index}` })),
      'ephemeralContainers',
    ),
  'environment variables': (object, bytes) =>
    addToFirst(object, { env: times(bytes, 24, index => ({ name: `E${index}`, value: '' })) }),
  'one environment variable': (object, bytes) => addToFirst(object, { env: [{ name: 'X', value: 'x'.repeat(bytes) }] }),
  'AWS_ROLE_ARN, often': (object, bytes) =>
    addToFirst(object, { env: times(bytes, 75, () => ({ name: 'AWS_ROLE_ARN', value: role })) }),
  'AWS_ROLE_ARN, in other spellings': (object, bytes) =>
    addToFirst(object, {
      env: times(bytes, 75, index => ({ name: index % 2 ? 'aws_role_arn' : 'Aws_role_arn', value: role })),
    }),
  'AWS_ROLE_ARN, long': (object, bytes) =>
    addToFirst(object, { env: [{ name: 'AWS_ROLE_ARN', value: `arn:aws:iam::1:${'x'.repeat(bytes)}` }] }),
  'AWS_WEB_IDENTITY_TOKEN_FILE, long': (object, bytes) =>
    addToFirst(object, {
      env: [
        { name: 'AWS_ROLE_ARN', value: role },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/..'.repeat(bytes / 3) },
      ],
    }),
  mounts: (object, bytes) =>
    addToFirst(object, { volumeMounts: times(bytes, 36, index => ({ name: 'v', mountPath: `/m${index}` })) }),
  'mounts at our path': (object, bytes) =>
    addToFirst(object, {
      volumeMounts: times(bytes, 100, index => ({
        name: `v${index}`,
        mountPath: '/var/run/secrets/eks.amazonaws.com/x/../serviceaccount',
      })),
    }),
  'the path of a mount': (object, bytes) =>
    addToFirst(object, { volumeMounts: [{ name: 'v', mountPath: '/'.repeat(bytes) }] }),
  'the path of a mount, up and down': (object, bytes) =>
    addToFirst(object, { volumeMounts: [{ name: 'v', mountPath: '/var/..'.repeat(bytes / 7) }] }),
  'mounts above our path, of as many volumes': (object, bytes) => {
    const count = Math.min(29_000, Math.floor(bytes / 110));
    specOf(object)['volumes'] = times(count, 1, index => ({ name: `v${index}`, emptyDir: {} }));
    const mounts = times(count, 1, index => ({ name: `v${index}`, mountPath: '/var/run', readOnly: true }));
    addToFirst(object, { volumeMounts: mounts });
  },
  'containers with a mount above our path beside many volumes': (object, bytes) => {
    const count = Math.min(29_000, Math.floor(bytes / 60));
    specOf(object)['volumes'] = times(count, 1, index => ({ name: `v${index}`, persistentVolumeClaim: {} }));
    addContainers(
      object,
      times(900, 1, index => ({
        name: `m${index}`,
        volumeMounts: [{ name: `v${count - 1}`, mountPath: '/run', readOnly: true }],
      })),
    );
  },
  'the path of a mount behind /run': (object, bytes) =>
    addToFirst(object, { volumeMounts: [{ name: 'v', mountPath: `/run${'/x/..'.repeat(bytes / 5)}` }] }),
  'the name of a ServiceAccount': (object, bytes) => {
    specOf(object)['serviceAccountName'] = 's'.repeat(bytes);
  },
  volumes: (object, bytes) => {
    specOf(object)['volumes'] = times(bytes, 30, index => ({ name: `v${index}`, emptyDir: {} }));
  },
  'sources of a volume': (object, bytes) => {
    specOf(object)['volumes'] = [
      {
        name: 'aws-iam-token',
        projected: { sources: times(bytes, 60, () => ({ serviceAccountToken: { path: 'token' } })) },
      },
    ];
  },
  tolerations: (object, bytes) => {
    specOf(object)['tolerations'] = times(bytes, 20, index => ({ key: `windo${index}` }));
  },
  'a node selector': (object, bytes) => {
    specOf(object)['nodeSelector'] = record(bytes, 14, index => `n${index}`);
  },
  'node affinity': (object, bytes) => {
    specOf(object)['affinity'] = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: times(bytes, 80, () => ({
            matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['x'] }],
          })),
        },
      },
    };
  },
  'objects of a shape each': (object, bytes) =>
    addToFirst(object, { args: times(bytes, 12, index => ({ [`x${index.toString(36)}`]: 0 })) }),
  'empty lists': (object, bytes) => addToFirst(object, { args: times(bytes, 3, () => []) }),
  'the name of a container': (object, bytes) => addContainers(object, [{ name: 'n'.repeat(bytes) }]),
};

/** Fields of an ACK resource's spec. */
export const resourceFields: Readonly<Record<string, Grow>> = {
  tags: (object, bytes) => {
    specOf(object)['tags'] = times(bytes, 30, index => ({ key: `k${index}`, value: 'v' }));
  },
  'a map': (object, bytes) => {
    specOf(object)['map'] = record(bytes, 12, index => `m${index}`);
  },
  'one string': (object, bytes) => {
    specOf(object)['policy'] = 'x'.repeat(bytes);
  },
  numbers: (object, bytes) => {
    specOf(object)['numbers'] = times(bytes, 2, () => 1);
  },
  'references to its own namespace': (object, bytes) => {
    specOf(object)['refs'] = times(bytes, 50, index => ({ from: { namespace: 'shop', name: `${index}` } }));
  },
  'references that are allowed': (object, bytes) => {
    specOf(object)['refs'] = times(bytes, 50, index => ({ from: { namespace: 'common', name: `${index}` } }));
  },
  'references to Secrets': (object, bytes) => {
    specOf(object)['secrets'] = times(bytes, 60, index => ({ namespace: 'common', name: `${index}`, key: 'k' }));
  },
  nesting: (object, bytes) => {
    let nested: Json = {};
    for (let depth = 0; depth < Math.min(500, bytes / 6); depth++) nested = { a: nested };
    specOf(object)['nested'] = nested;
  },
  'adoption-fields': (object, bytes) =>
    annotate(object, {
      'services.k8s.aws/adoption-policy': 'adopt',
      'services.k8s.aws/deletion-policy': 'retain',
      'services.k8s.aws/adoption-fields': JSON.stringify(record(Math.min(bytes, 200_000), 14, index => `k${index}`)),
    }),
};

/** What can be large in the status of an ACK resource. */
export const statusFields: Readonly<Record<string, Grow>> = {
  'its fields': (object, bytes) => {
    object['status'] = record(bytes, 12, index => `f${index}`);
  },
  'a list in it': (object, bytes) => {
    object['status'] = { shards: times(bytes, 30, index => ({ key: `k${index}`, value: 'v' })) };
  },
  'nesting in it': (object, bytes) => {
    let nested: Json = {};
    for (let depth = 0; depth < Math.min(500, bytes / 6); depth++) nested = { a: nested };
    object['status'] = { nested };
  },
};

/** Fields of the account map. */
export const mapFields: Readonly<Record<string, Grow>> = {
  'entries without a value': (object, bytes) => {
    object['data'] = record(bytes, 20, index => String(index).padStart(12, '0'));
  },
  'keys of services': (object, bytes) => {
    object['data'] = record(bytes, 26, index => `s3x${index % 50}.${String(index).padStart(12, '0')}`);
  },
  'one value': (object, bytes) => {
    object['data'] = { '111111111111': 'x'.repeat(bytes) };
  },
  'keys that are none': (object, bytes) => {
    object['data'] = record(bytes, 12, index => `x${index}`);
  },
  'binary data': (object, bytes) => {
    object['binaryData'] = record(bytes, 12, index => `b${index}`);
  },
};

/** Fields of an IAMRoleSelector. */
export const selectorFields: Readonly<Record<string, Grow>> = {
  names: (object, bytes) => {
    specOf(object)['namespaceSelector'] = { names: times(bytes, 9, index => `n${index}`) };
  },
  types: (object, bytes) => {
    specOf(object)['resourceTypeSelector'] = times(bytes, 50, index => ({
      group: '',
      version: 'v1',
      kind: `K${index}`,
    }));
  },
  'labels of resources': (object, bytes) => {
    specOf(object)['resourceLabelSelector'] = { matchLabels: record(bytes, 12, index => `l${index}`) };
  },
  'labels of namespaces': (object, bytes) => {
    specOf(object)['namespaceSelector'] = { labelSelector: { matchLabels: record(bytes, 12, index => `l${index}`) } };
  },
  'one ARN': (object, bytes) => {
    specOf(object)['arn'] = `arn:${':'.repeat(bytes)}`;
  },
};
