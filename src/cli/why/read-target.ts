import { type WorkloadKind, workloadKinds } from '../../objects/pod-template.ts';
import { echo } from '../flags/flag.ts';
import { UsageError } from '../usage-error.ts';

export type AskedKind = 'Pod' | 'Namespace' | WorkloadKind;

/** Each kind by the words that kubectl takes for it: kind, resource, short name, with or without its group. */
const kinds: ReadonlyMap<string, AskedKind> = new Map<string, AskedKind>([
  ...['pod', 'pods', 'po'].map(word => [word, 'Pod'] as const),
  ...['namespace', 'namespaces', 'ns'].map(word => [word, 'Namespace'] as const),
  ...workloadKinds.flatMap(workload => {
    const { group, kind, resource, shortName } = workload;
    const words = [kind.toLowerCase(), resource, ...(shortName === undefined ? [] : [shortName])];
    const qualified = group === '' ? [] : words.flatMap(word => [`${word}.${group}`, `${word}.v1.${group}`]);
    return [...words, ...qualified].map(word => [word, workload] as const);
  }),
]);

/** The words by which messages call them. */
export const askedKinds = ['pod', 'namespace', ...workloadKinds.map(({ kind }) => kind.toLowerCase())];

/** What is asked about: `KIND NAME` or `KIND/NAME`. @throws {UsageError} */
export function readTarget(positionals: readonly string[]): { readonly kind: AskedKind; readonly name: string } {
  const words = positionals.length === 1 ? (positionals[0]?.split('/') ?? []) : positionals;
  const [asked = '', name = '', ...rest] = words;
  const kind = kinds.get(asked.toLowerCase());
  if (kind === undefined || name === '' || rest.length > 0) {
    const given = positionals.length === 0 ? '' : `, not ${echo(positionals.join(' '))}`;
    throw new UsageError(`why takes KIND NAME${given}; kinds are: ${askedKinds.join(', ')}`);
  }
  return { kind, name };
}
