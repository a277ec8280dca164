import {
  type Fields,
  isFields,
  optionalArray,
  optionalFields,
  optionalString,
  requiredFields,
} from '../../injection/fields.ts';

/** A built-in kind that holds a pod template. */
export interface WorkloadKind {
  readonly group: string;
  readonly kind: string;
  readonly resource: string;
  /** The fields that lead to the template. */
  readonly template: readonly string[];
}

const inSpec = ['spec', 'template'];

/** Every built-in kind with a pod template. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ */
export const workloadKinds: readonly WorkloadKind[] = [
  { group: 'apps', kind: 'Deployment', resource: 'deployments', template: inSpec },
  { group: 'apps', kind: 'ReplicaSet', resource: 'replicasets', template: inSpec },
  { group: 'apps', kind: 'StatefulSet', resource: 'statefulsets', template: inSpec },
  { group: 'apps', kind: 'DaemonSet', resource: 'daemonsets', template: inSpec },
  { group: 'batch', kind: 'Job', resource: 'jobs', template: inSpec },
  { group: 'batch', kind: 'CronJob', resource: 'cronjobs', template: ['spec', 'jobTemplate', ...inSpec] },
  { group: '', kind: 'ReplicationController', resource: 'replicationcontrollers', template: inSpec },
  { group: '', kind: 'PodTemplate', resource: 'podtemplates', template: ['template'] },
];

/**
 * A template as the pods will have it: a StatefulSet's claims are volumes of its pods, in place of those of the same name.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetSpec
 * @throws {MalformedObjectError}
 */
export function withClaims(template: Fields, workload: Fields, { kind }: WorkloadKind): Fields {
  const claims =
    kind === 'StatefulSet'
      ? optionalArray(optionalFields(workload, 'spec', '') ?? {}, 'volumeClaimTemplates', '/spec')
      : [];
  if (claims === undefined || claims.length === 0) return template;
  const names = claims.map((claim, index) => {
    const path = `/spec/volumeClaimTemplates/${index}`;
    const metadata = optionalFields(requiredFields(claim, path), 'metadata', path) ?? {};
    return optionalString(metadata, 'name', `${path}/metadata`) ?? '';
  });
  const taken: ReadonlySet<unknown> = new Set(names);
  const spec = optionalFields(template, 'spec', '') ?? {};
  const volumes = optionalArray(spec, 'volumes', '/spec') ?? [];
  const others = volumes.filter(volume => !(isFields(volume) && taken.has(volume['name'])));
  return { ...template, spec: { ...spec, volumes: [...others, ...names.map(name => ({ name }))] } };
}

/**
 * The pod template in a workload; undefined where there is none.
 * @throws {MalformedObjectError}
 */
export function templateOf(workload: unknown, { template }: WorkloadKind): Fields | undefined {
  let fields: Fields | undefined = isFields(workload) ? workload : undefined;
  let path = '';
  for (const field of template) {
    if (fields === undefined) return undefined;
    fields = optionalFields(fields, field, path);
    path += `/${field}`;
  }
  return fields;
}
