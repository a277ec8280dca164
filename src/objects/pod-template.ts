import {
  isJsonObject,
  type JsonObject,
  optionalArray,
  optionalObject,
  optionalString,
  requiredObject,
} from './json.ts';

/** A built-in kind that holds a pod template. */
export interface WorkloadKind {
  readonly group: string;
  readonly kind: string;
  readonly resource: string;
  /** The fields that lead to the template. */
  readonly template: readonly string[];
  /** As kubectl takes it, besides the kind and the resource. */
  readonly shortName?: string;
}

const inSpec = ['spec', 'template'];

/** Every built-in kind with a pod template. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ */
export const workloadKinds: readonly WorkloadKind[] = [
  { group: 'apps', kind: 'Deployment', resource: 'deployments', template: inSpec, shortName: 'deploy' },
  { group: 'apps', kind: 'ReplicaSet', resource: 'replicasets', template: inSpec, shortName: 'rs' },
  { group: 'apps', kind: 'StatefulSet', resource: 'statefulsets', template: inSpec, shortName: 'sts' },
  { group: 'apps', kind: 'DaemonSet', resource: 'daemonsets', template: inSpec, shortName: 'ds' },
  { group: 'batch', kind: 'Job', resource: 'jobs', template: inSpec },
  {
    group: 'batch',
    kind: 'CronJob',
    resource: 'cronjobs',
    template: ['spec', 'jobTemplate', ...inSpec],
    shortName: 'cj',
  },
  { group: '', kind: 'ReplicationController', resource: 'replicationcontrollers', template: inSpec, shortName: 'rc' },
  { group: '', kind: 'PodTemplate', resource: 'podtemplates', template: ['template'] },
];

/** A volume as the controller makes it: of a claim of the pod's own, which has another name. */
const claimed = (name: string) => ({ name, persistentVolumeClaim: { claimName: name } });

/**
 * A template as the pods will have it: a StatefulSet's claims are volumes of its pods, in place of those of the same name.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetSpec
 * @throws {MalformedObjectError}
 */
export function withClaims(template: JsonObject, workload: JsonObject, kind: string): JsonObject {
  const claims =
    kind === 'StatefulSet'
      ? optionalArray(optionalObject(workload, 'spec', '') ?? {}, 'volumeClaimTemplates', '/spec')
      : [];
  if (claims === undefined || claims.length === 0) return template;
  const names = claims.map((claim, index) => {
    const path = `/spec/volumeClaimTemplates/${index}`;
    const metadata = optionalObject(requiredObject(claim, path), 'metadata', path) ?? {};
    return optionalString(metadata, 'name', `${path}/metadata`) ?? '';
  });
  const taken: ReadonlySet<unknown> = new Set(names);
  const spec = optionalObject(template, 'spec', '') ?? {};
  const volumes = optionalArray(spec, 'volumes', '/spec') ?? [];
  const others = volumes.filter(volume => !(isJsonObject(volume) && taken.has(volume['name'])));
  return { ...template, spec: { ...spec, volumes: [...others, ...names.map(claimed)] } };
}

/**
 * The pod template in a workload; undefined where there is none.
 * @param template the fields that lead to it.
 * @throws {MalformedObjectError}
 */
export function templateOf(workload: unknown, template: readonly string[]): JsonObject | undefined {
  let fields: JsonObject | undefined = isJsonObject(workload) ? workload : undefined;
  let path = '';
  for (const field of template) {
    if (fields === undefined) return undefined;
    fields = optionalObject(fields, field, path);
    path += `/${field}`;
  }
  return fields;
}
