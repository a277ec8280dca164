import fc from 'fast-check';
import { anyCharacter } from '../../any-character.ts';
import { account, role } from '../fake-cluster.ts';

/** Pods for properties: of the right shape with whatever users write in it, and of any shape at all. */

type Json = Readonly<Record<string, unknown>>;

/** An own key `__proto__`, as JSON.parse makes it. */
function withProtoKey(value: unknown): unknown {
  return Object.defineProperty({}, '__proto__', { value, enumerable: true, configurable: true, writable: true });
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { deeper: value };
  return value;
}

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(nested(300), withProtoKey({ polluted: true }), [], {}, null, '', 0),
);

/** JsonObject that no version of Kubernetes has yet. */
const unknownFields: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom('future', 'x-y', 'constructor', 'toString'), anything) },
  { weight: 1, arbitrary: anything.map(value => withProtoKey(value) as Json) },
);

/** Joins objects by their own keys, `__proto__` among them. */
function joined(...parts: readonly Json[]): Json {
  const result = {};
  for (const part of parts) Object.defineProperties(result, Object.getOwnPropertyDescriptors(part));
  return result;
}

const with_ = (known: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.tuple(known, unknownFields).map(([fields, more]) => joined(more, fields));

const text = fc.oneof(fc.string({ unit: anyCharacter, maxLength: 12 }), fc.constantFrom('a', 'app', 'app', ''));
const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

const variableName = fc.oneof(
  fc.constantFrom(
    'AWS_ROLE_ARN',
    'aws_role_arn',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_STS_REGIONAL_ENDPOINTS',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_ACCESS_KEY_ID',
    'AWS_ROLE_SESSION_NAME',
    'AWS_EC2_METADATA_DISABLED',
    'AWS_PROFILE',
    'AWS_CONFIG_FILE',
    'AWS_SDK_LOAD_CONFIG',
    '__proto__',
  ),
  text,
);
const variableValue = fc.oneof(
  fc.constantFrom(role, `arn:aws:iam::${account}:role/other`, 'arn:aws:iam::999999999999:role/x', '$(X)', ''),
  fc.constantFrom(`${ours}/token`, `${ours}//./token`, `${ours}/config`, '1', '/elsewhere'),
  text,
);
const variable = with_(
  fc.oneof(
    fc.record({ name: variableName, value: variableValue }),
    fc.record({ name: variableName }),
    fc.record({ name: variableName, valueFrom: fc.constant({ fieldRef: { fieldPath: 'metadata.name' } }) }),
  ),
);

const mount = with_(
  fc.record(
    {
      name: fc.constantFrom('aws-iam-token', 'data', 'aws-iam-token '),
      mountPath: fc.oneof(
        fc.constantFrom(ours, `${ours}/`, `${ours}/below`, '/var/run', '/run', '/', '/data', 'relative', `C:${ours}`),
        text,
      ),
      subPath: fc.constantFrom('', 'token'),
      readOnly: fc.boolean(),
    },
    { requiredKeys: ['name', 'mountPath'] },
  ),
);

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 20 });
const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });

const container = with_(
  fc.record(
    {
      name: text,
      image: fc.constant('app:1'),
      env: maybe(few(variable)),
      envFrom: maybe(few(fc.constant({ secretRef: { name: 'x' } }))),
      volumeMounts: maybe(few(mount)),
    },
    { requiredKeys: ['name'] },
  ),
);

const token = (audience: string, path: string) => ({ serviceAccountToken: { audience, expirationSeconds: 700, path } });
const configSource = {
  downwardAPI: {
    items: [{ path: 'config', fieldRef: { fieldPath: "metadata.annotations['carm-webhook.dev/aws-config']" } }],
  },
};
const volume = with_(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ name: text, emptyDir: fc.constant({}) }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        { name: 'data', emptyDir: {} },
        { name: 'data', secret: { secretName: 'x' } },
        { name: 'data', persistentVolumeClaim: { claimName: 'x', readOnly: true } },
        { name: 'data', image: { reference: 'x' } },
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        name: fc.constant('aws-iam-token'),
        projected: fc.record({ sources: fc.constant([token('sts.amazonaws.com', 'token')]) }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { name: 'aws-iam-token', emptyDir: {} },
        { name: 'aws-iam-token', projected: { sources: [token('vault', 'token')] } },
        { name: 'aws-iam-token', projected: null },
        { name: 'aws-iam-token', projected: { sources: [token('sts.amazonaws.com', 'token'), configSource] } },
        { name: 'aws-iam-token', projected: { sources: [configSource] } },
      ),
    },
  ),
);

const annotationKey = fc.constantFrom(
  'eks.amazonaws.com/skip-containers',
  'eks.amazonaws.com/token-expiration',
  'carm-webhook.dev/role-arn',
  'carm-webhook.dev/aws-config',
  'eks.amazon.com/role-arn',
  '__proto__',
  'a~b/c',
);
const strings = (keys: fc.Arbitrary<string>) => fc.dictionary(keys, fc.oneof(text, fc.constant('900')), { maxKeys: 3 });

const metadata = with_(
  fc.record(
    {
      name: fc.constantFrom('web'),
      labels: maybe(strings(fc.constantFrom('app', 'carm-webhook.dev/other', 'carm-webhook.dev/inject', '__proto__'))),
      annotations: maybe(strings(annotationKey)),
    },
    { requiredKeys: [] },
  ),
);

const spec = with_(
  fc.record(
    {
      containers: few(container),
      initContainers: maybe(few(container)),
      volumes: maybe(few(volume)),
      os: fc.constantFrom(null, { name: 'linux' }, { name: 'windows' }),
      nodeSelector: fc.constantFrom(null, {}, { 'kubernetes.io/os': 'windows' }),
      serviceAccountName: fc.constantFrom('', 'default', 'audience', 'wish', 'absent'),
    },
    { requiredKeys: ['containers'] },
  ),
);

/** A pod as the API server's schema allows it, and more: unknown fields everywhere, doubled names, null lists. */
export const shapedPod: fc.Arbitrary<Json> = with_(
  fc.record(
    { apiVersion: fc.constant('v1'), kind: fc.constant('Pod'), metadata: maybe(metadata), spec },
    { requiredKeys: ['apiVersion', 'kind', 'spec'] },
  ),
);

const readPaths: readonly (readonly string[])[] = [
  ['metadata'],
  ['metadata', 'labels'],
  ['metadata', 'annotations'],
  ['metadata', 'generateName'],
  ['spec'],
  ['spec', 'containers'],
  ['spec', 'containers', '0'],
  ['spec', 'containers', '0', 'name'],
  ['spec', 'containers', '0', 'env'],
  ['spec', 'containers', '0', 'env', '0'],
  ['spec', 'containers', '0', 'env', '0', 'name'],
  ['spec', 'containers', '0', 'env', '0', 'value'],
  ['spec', 'containers', '0', 'env', '0', 'valueFrom'],
  ['spec', 'containers', '0', 'envFrom'],
  ['spec', 'containers', '0', 'volumeMounts'],
  ['spec', 'containers', '0', 'volumeMounts', '0', 'mountPath'],
  ['spec', 'containers', '0', 'volumeMounts', '0', 'subPathExpr'],
  ['spec', 'containers', '0', 'volumeMounts', '0', 'readOnly'],
  ['spec', 'initContainers'],
  ['spec', 'ephemeralContainers'],
  ['spec', 'volumes'],
  ['spec', 'volumes', '0'],
  ['spec', 'volumes', '0', 'emptyDir'],
  ['spec', 'volumes', '0', 'persistentVolumeClaim'],
  ['spec', 'volumes', '0', 'projected'],
  ['spec', 'volumes', '0', 'projected', 'sources'],
  ['spec', 'volumes', '0', 'projected', 'sources', '0'],
  ['spec', 'volumes', '0', 'projected', 'sources', '0', 'serviceAccountToken'],
  ['spec', 'serviceAccountName'],
  ['spec', 'os'],
  ['spec', 'nodeSelector'],
];

/** Puts a value at a path, making what is missing on the way. */
function planted(object: Json, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const isObject = typeof object === 'object' && object !== null;
  if (/^\d+$/.test(key)) {
    const list: unknown[] = Array.isArray(object) ? [...object] : [];
    list[Number(key)] = planted((list[Number(key)] ?? {}) as Json, rest, value);
    return list;
  }
  const fields = isObject && !Array.isArray(object) ? object : {};
  return joined(fields, { [key]: planted((fields[key] ?? {}) as Json, rest, value) });
}

/** Anything in the place of a pod: a shaped one with any value where we read, or any JSON. */
export const anyPod: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: shapedPod },
  {
    weight: 4,
    arbitrary: fc
      .tuple(shapedPod, fc.constantFrom(...readPaths), anything)
      .map(([object, path, value]) => planted(object, path, value)),
  },
  { weight: 1, arbitrary: anything },
);
