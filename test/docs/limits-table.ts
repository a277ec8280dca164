import { type Measured, sizeLimits } from '../../src/objects/object-size.ts';

/** Why each limit denies nothing that a cluster could have. */
const reasons: Readonly<Record<Measured, string>> = {
  'bytes of JSON':
    '[MaxRequestBodyBytes](https://github.com/kubernetes/apiserver/blob/master/pkg/server/config.go) of the API server; `metadata.managedFields` does not count',
  'objects and arrays':
    'the memory and time that parsing them takes; in the 1.5 MiB that etcd accepts, so many would have to be nearly empty',
  fields: 'the same; each has a key, and objects whose keys all differ cost the most',
  'levels of nesting':
    '[maxNestingDepth](https://github.com/golang/go/blob/master/src/encoding/json/scanner.go) of the decoder that the API server uses',
  'bytes of annotations':
    '[TotalAnnotationSizeLimitB](https://github.com/kubernetes/apimachinery/blob/master/pkg/api/validation/objectmeta.go): keys and values together',
  labels: 'as many as fit into 1.5 MiB',
  finalizers: 'as many as fit into 1.5 MiB',
  'owner references': 'as many as fit into 1.5 MiB',
  containers: 'of all kinds together; no node runs so many in a pod',
  'environment variables': 'of all containers together',
  'volume mounts': 'of all containers together, as many as fit into 1.5 MiB',
  volumes: 'as many as fit into 1.5 MiB',
  'volume sources': 'of projected volumes, as many as fit into 1.5 MiB',
  'node selector entries': 'terms, expressions and values of required node affinity; tolerations',
  'names in skip-containers': 'twice as many as a pod may have containers',
  'entries of data': 'of the account map or the team map, as many as fit into 1.5 MiB',
  'entries of a selector': 'names and types of an IAMRoleSelector, as many as fit into 1.5 MiB',
};

const start = '<!-- limits: written by `make docs` -->';
const end = '<!-- /limits -->';

/** `docs/limits.md` with its table made from the limits themselves. */
export function withLimits(page: string): string {
  const rows = Object.entries(sizeLimits).map(
    ([what, limit]) => `| ${what} | ${limit.toLocaleString('en')} | ${reasons[what as Measured]} |`,
  );
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/limits.md must have ${start} and ${end}`);
  return `${before}${start}\n${['| of one object | limit | why |', '|---|---:|---|', ...rows].join('\n')}\n${end}${after}`;
}
