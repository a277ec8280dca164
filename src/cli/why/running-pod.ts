import { parseRoleArn } from '../../accounts/role-arn.ts';
import { roleArnVariable, tokenFileVariable } from '../../injection/environment.ts';
import { tokenFilePath, tokenMountPath, tokenVolumeName } from '../../injection/token-volume.ts';
import { isJsonObject, type JsonObject, optionalObject } from '../../objects/json.ts';
import { roleArnAnnotation } from '../../objects/keys.ts';
import { type Container, type Pod, readPod } from '../../objects/pod.ts';

/** What a container has, by its own fields. */
export interface HeldByContainer {
  readonly name: string;
  readonly kind: string;
  /** A literal `AWS_ROLE_ARN`; undefined for none, or one by `valueFrom`. */
  readonly roleArn: string | undefined;
  readonly tokenFile: string | undefined;
  readonly region: string | undefined;
}

export interface HeldByPod {
  /** The annotation that says which role was injected; anyone may have written it. */
  readonly said: string | undefined;
  readonly containers: readonly HeldByContainer[];
}

function heldBy(container: Container, pod: Pod): HeldByContainer {
  const value = (name: string) => container.awsVariables.literal(name, pod.windows);
  return {
    name: container.name,
    kind: container.kind,
    roleArn: value(roleArnVariable),
    tokenFile: value(tokenFileVariable),
    region: value('AWS_REGION') ?? value('AWS_DEFAULT_REGION'),
  };
}

/** What a pod has. @throws {MalformedObjectError} */
export function heldByPod(object: JsonObject): HeldByPod {
  const pod = readPod(object);
  return {
    said: pod.annotations.get(roleArnAnnotation),
    containers: pod.containers.map(container => heldBy(container, pod)),
  };
}

const injectedVariables: ReadonlySet<string> = new Set([
  'AWS_STS_REGIONAL_ENDPOINTS',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  roleArnVariable,
  tokenFileVariable,
]);

function named(item: unknown, names: ReadonlySet<string>): boolean {
  return isJsonObject(item) && typeof item['name'] === 'string' && names.has(item['name']);
}

function withoutInjected(container: unknown): unknown {
  if (!isJsonObject(container)) return container;
  const { env, volumeMounts, ...rest } = container;
  const ours = (mount: unknown) => isJsonObject(mount) && mount['mountPath'] === tokenMountPath;
  return {
    ...rest,
    ...(Array.isArray(env) ? { env: env.filter(item => !named(item, injectedVariables)) } : {}),
    ...(Array.isArray(volumeMounts) ? { volumeMounts: volumeMounts.filter(mount => !ours(mount)) } : {}),
  };
}

/** Whether a container has the pair that was injected by what the annotation says. */
function wasInjected({ roleArn, tokenFile }: HeldByContainer, said: string, windows: boolean): boolean {
  return roleArn === said && tokenFile === tokenFilePath(windows);
}

/**
 * A pod as it may have been before its injection: containers whose role and token file are those that the annotation
 * tells lose all that an injection gives. What the user had set to the same values themselves cannot be told apart, and
 * a new pod gets it again. (https://kubernetes.io/docs/concepts/workloads/pods/#pod-templates: the template would tell;
 * reading every kind of owner needs rights that a person who asks about a pod may not have.)
 * @throws {MalformedObjectError}
 */
export function beforeInjection(object: JsonObject): JsonObject {
  const { said = '', containers } = heldByPod(object);
  const { windows } = readPod(object);
  // A pod is never created with ephemeral containers.
  const { ephemeralContainers: _, ...spec } = optionalObject(object, 'spec', '') ?? {};
  if (parseRoleArn(said) === undefined) return { ...object, spec };
  const injected = new Set(containers.filter(held => wasInjected(held, said, windows)).map(({ name }) => name));
  const stripped = Object.fromEntries(
    Object.entries(spec).map(([field, value]) => {
      if (!Array.isArray(value)) return [field, value];
      if (field === 'volumes') return [field, value.filter(item => !named(item, new Set([tokenVolumeName])))];
      if (field !== 'containers' && field !== 'initContainers') return [field, value];
      return [field, value.map(item => (named(item, injected) ? withoutInjected(item) : item))];
    }),
  );
  return { ...object, spec: stripped };
}
