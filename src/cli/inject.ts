import type { ManifestFile } from '../cluster/manifests.ts';
import { clusterFlags, namespaceFlag, outputFlag } from './cluster-flags.ts';
import type { Command, Surroundings } from './command.ts';
import { describeFlags, readFlags, refuseArguments, repeatedFlag } from './flag.ts';
import { Foreteller, type Foretold, withAdditions } from './foretell.ts';
import { readInput } from './input-files.ts';
import { openSource } from './open-source.ts';
import { patchDocument } from './patch-document.ts';
import { dropItems, joinDocuments, renderDiff, renderDocument, renderJson } from './render-manifests.ts';
import { ruleFlags, rulesFrom } from './rule-flags.ts';
import { exitCodes, UsageError } from './usage-error.ts';

const injectFlags = {
  filename: repeatedFlag('filename', {
    short: 'f',
    placeholder: 'FILE',
    help: 'Manifests to read, YAML or JSON; - is stdin; may be repeated',
  }),
  namespace: namespaceFlag,
  output: outputFlag(['yaml', 'json', 'diff']),
  ...clusterFlags,
  ...ruleFlags,
} as const;

/** A file with what would become of each object in it. */
interface ForetoldFile {
  readonly file: ManifestFile;
  readonly objects: readonly Foretold[];
}

function yamlOf({ file, objects }: ForetoldFile): readonly string[] {
  return file.documents.map((document, index) => {
    const own = objects.filter(({ manifest }) => manifest.document === index);
    const kept = own.filter(({ refused }) => !refused);
    if (kept.length === 0 && (own.length > 0 || document.contents === null)) return '';
    const patched = kept.filter(({ additions }) => additions.length > 0);
    const patches = patched.map(({ manifest, additions }) => ({ path: manifest.path, additions }));
    const dropped = own.filter(({ refused }) => refused).map(({ manifest }) => Number(manifest.path.at(-1)));
    const change = () => {
      patchDocument(document, patches);
      if (dropped.length > 0) dropItems(document, new Set(dropped));
    };
    return renderDocument(document, file.texts[index] ?? '', patches.length + dropped.length > 0 ? change : undefined);
  });
}

function render(files: readonly ForetoldFile[], form: 'yaml' | 'json' | 'diff'): string {
  if (form === 'yaml') return joinDocuments(files.flatMap(yamlOf));
  const kept = files.flatMap(({ objects }) => objects).filter(({ refused }) => !refused);
  const after = ({ manifest, additions }: Foretold) => withAdditions(manifest.object, additions);
  if (form === 'json') return renderJson(kept.map(after));
  return renderDiff(
    kept.map(foretold => {
      const { manifest, name, namespace } = foretold;
      const full = namespace === '' ? `${manifest.kind} ${name}` : `${manifest.kind} ${namespace}/${name}`;
      return { name: full, place: manifest.place, before: manifest.object, after: after(foretold) };
    }),
  );
}

async function inject(argv: readonly string[], { env, stdin, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(injectFlags, argv, env);
  refuseArguments('inject', positionals, '; a file is given by -f FILE');
  if (values.filename.length === 0) throw new UsageError('-f is missing: -f FILE, or -f - for stdin');
  const rules = rulesFrom(values, env);
  const source = await openSource(values, rules);
  try {
    const files = await readInput(values.filename, stdin);
    const manifests = files.flatMap(file => file.manifests);
    if (manifests.length === 0)
      throw new UsageError(
        `there is no object in ${values.filename.map(name => (name === '-' ? 'stdin' : name)).join(', ')}`,
      );
    const foretold = await new Foreteller(source, rules, values.namespace).foretell(manifests);
    const objectsOf = ({ manifests: own }: ManifestFile) => {
      const ofFile = new Set(own);
      return foretold.filter(({ manifest }) => ofFile.has(manifest));
    };
    const lines = foretold.flatMap(object => object.lines);
    if (foretold.some(({ preview, refused }) => preview && !refused)) {
      lines.push('preview: pod templates are shown as their pods would become; apply the manifests as they were');
    }
    stdout.write(
      render(
        files.map(file => ({ file, objects: objectsOf(file) })),
        values.output,
      ),
    );
    stderr.write(lines.map(line => `${line}\n`).join(''));
    return foretold.some(({ refused }) => refused) ? exitCodes.refused : exitCodes.done;
  } finally {
    await source.close();
  }
}

/** `carm-webhook inject`: what would become of manifests. */
export const injectCommand: Command = {
  help: () => `Usage: carm-webhook inject -f FILE [flags]

Shows what the webhook would make of manifests, each as if it were made now: pods, pod templates of
every built-in kind, ACK resources and selectors, maps, Lists, and Namespaces, which are labelled.
Other objects pass as they are. Comments and order are kept.

Refused objects are left out, their messages are on stderr, and the exit code is 1. A workload
whose pods would be refused is left out too, whatever --workloads says of the workload itself.

Namespaces, ServiceAccounts and maps in the input override those of the cluster or of --state; what
the input lacks is read from there. A ServiceAccount in neither has no annotations.

Examples:
  carm-webhook inject -f pod.yaml -o diff
  kustomize build . | carm-webhook inject -f - -n team-a --state cluster/

Flags (each has an environment variable: --output is CARM_WEBHOOK_OUTPUT):
${describeFlags(injectFlags)}
`,
  run: inject,
};
