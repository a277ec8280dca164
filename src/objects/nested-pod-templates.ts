/** Pods in objects of kinds that we do not know: templates are known by their shape. */

import { isJsonObject, type JsonObject, pointerSegment } from './json.ts';

export interface NestedTemplate {
  /** A JSON Pointer. */
  readonly path: string;
  readonly template: JsonObject;
}

export interface NestedTemplates {
  readonly templates: readonly NestedTemplate[];
  /** The first place, outside of templates, that seems to describe pods in a shape of its own: a JSON Pointer. */
  readonly unknownShape: string | undefined;
  /** The limit that ended the search before all was seen. */
  readonly cutBy: keyof typeof nestedLimits | undefined;
}

/** No kind that we met comes near to these: JobSets have one template a job, and none lies deeper than ten levels. */
export const nestedLimits = { templates: 64, levels: 32, values: 100_000 } as const;

/** `PodTemplateSpec`. A container without a name is one of Knative's, which names it. */
function isPodTemplate(value: JsonObject): boolean {
  const { spec } = value;
  const containers = isJsonObject(spec) ? spec['containers'] : undefined;
  if (!Array.isArray(containers) || containers.length === 0) return false;
  return containers.every(
    each => isJsonObject(each) && (typeof each['name'] === 'string' || typeof each['image'] === 'string'),
  );
}

/** What stands beside an image in whatever runs it. */
const besideImage = [
  ...['args', 'command', 'env', 'envFrom', 'envVars', 'imagePullPolicy', 'mainApplicationFile', 'name', 'ports'],
  ...['resources', 'script', 'securityContext', 'serviceAccount', 'serviceAccountName', 'source', 'volumeMounts'],
];

/** What is a container, though it says no more than its image: Argo's `script`, Tekton's `steps`, Spark's `driver`. */
const containerKeys: ReadonlySet<unknown> = new Set(['driver', 'executor', 'script', 'sidecars', 'steps']);

/** Where variables stand: a list or a map of them, or Spark's settings by their paths, such as `spark.executorEnv.AWS_REGION`. */
const variableKeys = ['env', 'envSecretKeyRefs', 'envVars', 'sparkConf'];

const isAwsName = (name: unknown): boolean => typeof name === 'string' && /(?:^|\.)aws_/i.test(name);

function setsAwsVariables(env: unknown): boolean {
  if (Array.isArray(env)) return env.some(each => isJsonObject(each) && isAwsName(each['name']));
  return isJsonObject(env) && Object.keys(env).some(isAwsName);
}

const hasImage = (value: unknown): boolean => isJsonObject(value) && typeof value['image'] === 'string';

/** The key that a value, or the list that it is in, stands under. */
function keyOf(path: string): string | undefined {
  return /\/([^/]*)(?:\/\d+)?$/.exec(path)?.[1];
}

/** Whether an object seems to say how a container runs (Argo's Workflow, Tekton's Task, SparkApplication), or by whom. */
function describesPod(value: JsonObject, path: string): boolean {
  if (typeof value['serviceAccountName'] === 'string' || typeof value['serviceAccount'] === 'string') return true;
  const { container, containers, initContainers } = value;
  if ([container, containers, initContainers].flat().some(hasImage)) return true;
  if (hasImage(value) && (containerKeys.has(keyOf(path)) || besideImage.some(other => Object.hasOwn(value, other))))
    return true;
  return variableKeys.some(each => setsAwsVariables(value[each]));
}

/** The pod templates in an object, in its order. */
export function findPodTemplates(object: JsonObject): NestedTemplates {
  const templates: NestedTemplate[] = [];
  let unknownShape: string | undefined;
  let cutBy: NestedTemplates['cutBy'];
  let values = 0;
  const visit = (value: unknown, path: string, level: number): void => {
    if (typeof value !== 'object' || value === null) return;
    values += 1;
    if (values > nestedLimits.values) cutBy ??= 'values';
    else if (level > nestedLimits.levels) cutBy ??= 'levels';
    if (values > nestedLimits.values || level > nestedLimits.levels) return;
    if (isJsonObject(value)) {
      // An object's own spec is what its operator makes pods of, in its own way: Prometheus, Knative's Revision.
      if (level > 0 && isPodTemplate(value)) {
        if (templates.length < nestedLimits.templates) templates.push({ path, template: value });
        else cutBy ??= 'templates';
        return;
      }
      if (unknownShape === undefined && describesPod(value, path)) unknownShape = path;
      for (const [key, each] of Object.entries(value)) visit(each, `${path}/${pointerSegment(key)}`, level + 1);
    } else if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) visit(each, `${path}/${index}`, level + 1);
    }
  };
  visit(object, '', 0);
  return { templates, unknownShape, cutBy };
}
