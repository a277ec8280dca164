import { parseRoleArn } from '../../accounts/role-arn.ts';
import type { HeldCredentials } from '../../injection/credentials.ts';
import { credentialsModes } from '../../injection/credentials-modes.ts';
import { regionOf, sdkVariables } from '../../injection/sdk-settings.ts';
import { tokenMountPath, tokenVolumeName } from '../../injection/token-volume.ts';
import { isJsonObject, type JsonObject, optionalObject } from '../../objects/json.ts';
import { roleArnAnnotation } from '../../objects/keys.ts';
import { type Container, type Pod, readPod } from '../../objects/pod.ts';

/** What a container has, by its own fields. */
export interface HeldByContainer extends HeldCredentials {
  readonly name: string;
  readonly kind: string;
  readonly region: string | undefined;
}

const noCredentials: HeldCredentials = { roleArn: undefined, tokenFile: undefined };

export interface HeldByPod {
  /** The annotation that says which role was injected; anyone may have written it. */
  readonly said: string | undefined;
  readonly containers: readonly HeldByContainer[];
}

function heldBy(container: Container, pod: Pod): HeldByContainer {
  const held = credentialsModes.map(mode => mode.readHeld(container, pod));
  const { roleArn, tokenFile, chain } =
    held.find(each => (each.roleArn ?? each.tokenFile ?? each.chain) !== undefined) ?? noCredentials;
  const { name, kind } = container;
  return { name, kind, roleArn, tokenFile, ...(chain && { chain }), region: regionOf(container, pod) };
}

/** What a pod has. @throws {MalformedObjectError} */
export function heldByPod(object: JsonObject): HeldByPod {
  const pod = readPod(object);
  return {
    said: pod.annotations.get(roleArnAnnotation),
    containers: pod.containers.map(container => heldBy(container, pod)),
  };
}

/**
 * Every variable that an injection for a role can have added, by the mode that gave a container its credentials; else undefined.
 * What comes beside a role is the user's own where it stands before the role, for an injection appends it.
 */
function injectedInto(container: Container, pod: Pod, roleArn: string): ReadonlySet<string> | undefined {
  for (const mode of credentialsModes) {
    const given = mode.variables(roleArn, pod);
    const isGiven = given.every(({ name, value }) => container.awsVariables.literal(name, pod.windows) === value);
    if (isGiven && mode.standsAsInjected(container, pod)) {
      const variables = given.map(({ name }) => name);
      const companions = mode.companions.filter(name =>
        variables.every(each => container.awsVariables.comesAfter(name, each, pod.windows)),
      );
      return new Set([...sdkVariables, ...variables, ...companions]);
    }
  }
  return undefined;
}

function isNamed(item: unknown, names: ReadonlySet<string>): boolean {
  return isJsonObject(item) && typeof item['name'] === 'string' && names.has(item['name']);
}

function withoutInjected(container: unknown, injected: ReadonlySet<string> | undefined): unknown {
  if (!isJsonObject(container) || injected === undefined) return container;
  const { env, volumeMounts, ...rest } = container;
  const ours = (mount: unknown) => isJsonObject(mount) && mount['mountPath'] === tokenMountPath;
  return {
    ...rest,
    ...(Array.isArray(env) ? { env: env.filter(item => !isNamed(item, injected)) } : {}),
    ...(Array.isArray(volumeMounts) ? { volumeMounts: volumeMounts.filter(mount => !ours(mount)) } : {}),
  };
}

/**
 * A pod as it may have been before its injection: containers whose credentials are those of the role that the annotation
 * tells lose all that an injection gives. What the user had set to the same values themselves cannot be told apart, and
 * a new pod gets it again. (https://kubernetes.io/docs/concepts/workloads/pods/#pod-templates: the template would tell;
 * reading every kind of owner needs rights that a person who asks about a pod may not have.)
 * @throws {MalformedObjectError}
 */
export function beforeInjection(object: JsonObject): JsonObject {
  const pod = readPod(object);
  const said = pod.annotations.get(roleArnAnnotation) ?? '';
  // A pod is never created with ephemeral containers.
  const { ephemeralContainers: _, ...spec } = optionalObject(object, 'spec', '') ?? {};
  if (parseRoleArn(said) === undefined) return { ...object, spec };
  const injected = new Map(pod.containers.map(container => [container.path, injectedInto(container, pod, said)]));
  const ours = new Set([tokenVolumeName]);
  const stripped = Object.fromEntries(
    Object.entries(spec).map(([field, value]) => {
      if (!Array.isArray(value)) return [field, value];
      if (field === 'volumes') return [field, value.filter(item => !isNamed(item, ours))];
      return [field, value.map((item, index) => withoutInjected(item, injected.get(`/spec/${field}/${index}`)))];
    }),
  );
  return { ...object, spec: stripped };
}
