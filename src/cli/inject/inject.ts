import type { ManifestFile } from '../../cluster/state/manifests.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags, namespaceFlag, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import { describeFlags, readFlags, rejectArguments, repeatedFlag, switchFlag } from '../flags/flag.ts';
import { openSource } from '../sources/open-source.ts';
import { exitCodes, UsageError } from '../usage-error.ts';
import { DryRun, type DryRunResult, withAdditions } from './dry-run.ts';
import { readInput } from './input-files.ts';
import { patchDocument } from './patch-document.ts';
import { dropItems, joinDocuments, renderDiff, renderDocument, renderJson } from './render-manifests.ts';

const injectFlags = {
  filename: repeatedFlag(
    '-f, --filename FILE',
    'Manifests to read, YAML or JSON: a file, a folder, or - for stdin; may be repeated',
  ),
  recursive: switchFlag('-R, --recursive', 'Read the subfolders of a folder too'),
  namespace: namespaceFlag,
  output: outputFlag(['yaml', 'json', 'diff']),
  ...clusterFlags,
  ...configFlags,
} as const;

/** A file with what would become of each object in it. */
interface InputFile {
  readonly file: ManifestFile;
  readonly objects: readonly DryRunResult[];
}

function yamlOf({ file, objects }: InputFile): readonly string[] {
  return file.documents.map((document, index) => {
    const own = objects.filter(({ manifest }) => manifest.document === index);
    const kept = own.filter(({ denied }) => !denied);
    if (kept.length === 0 && (own.length > 0 || document.contents === null)) return '';
    const patched = kept.filter(({ additions }) => additions.length > 0);
    const patches = patched.map(({ manifest, additions }) => ({ path: manifest.path, additions }));
    const dropped = own.filter(({ denied }) => denied).map(({ manifest }) => Number(manifest.path.at(-1)));
    const change = () => {
      patchDocument(document, patches);
      if (dropped.length > 0) dropItems(document, new Set(dropped));
    };
    return renderDocument(document, file.texts[index] ?? '', patches.length + dropped.length > 0 ? change : undefined);
  });
}

function render(files: readonly InputFile[], form: 'yaml' | 'json' | 'diff'): string {
  if (form === 'yaml') return joinDocuments(files.flatMap(yamlOf));
  const kept = files.flatMap(({ objects }) => objects).filter(({ denied }) => !denied);
  const after = ({ manifest, additions }: DryRunResult) => withAdditions(manifest.object, additions);
  if (form === 'json') return renderJson(kept.map(after));
  return renderDiff(
    kept.map(results => {
      const { manifest, name, namespace } = results;
      const full = namespace === '' ? `${manifest.kind} ${name}` : `${manifest.kind} ${namespace}/${name}`;
      return { name: full, place: manifest.place, before: manifest.object, after: after(results) };
    }),
  );
}

async function inject(argv: readonly string[], { env, stdin, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(injectFlags, argv, env, 'inject');
  rejectArguments('inject', positionals, '; name a file or folder with -f');
  if (values.filename.length === 0) throw new UsageError('-f is required: -f FILE, -f FOLDER, or -f - for stdin');
  const config = configFrom(values, env);
  await using source = await openSource(values, config);
  const files = await readInput(values.filename, values.recursive, stdin);
  const manifests = files.flatMap(file => file.manifests);
  if (manifests.length === 0)
    throw new UsageError(
      `there is no object in ${values.filename.map(name => (name === '-' ? 'stdin' : name)).join(', ')}`,
    );
  const results = await new DryRun(source, config, values.namespace).run(manifests);
  const objectsOf = ({ manifests: own }: ManifestFile) => {
    const ofFile = new Set(own);
    return results.filter(({ manifest }) => ofFile.has(manifest));
  };
  const lines = results.flatMap(object => object.lines);
  if (results.some(({ preview, denied }) => preview && !denied)) {
    lines.push('preview: pod templates are shown as their pods would be; apply the original manifests');
  }
  stdout.write(
    render(
      files.map(file => ({ file, objects: objectsOf(file) })),
      values.output,
    ),
  );
  stderr.write(lines.map(line => `${line}\n`).join(''));
  return results.some(({ denied }) => denied) ? exitCodes.denied : exitCodes.done;
}

/** `carm-webhook inject`: what would become of manifests. */
export const command: Command = {
  flags: injectFlags,
  help: () => `Usage: carm-webhook inject -f FILE|FOLDER|- [flags]

Shows what the webhook would do to manifests if each were created now: pods, pod templates of
every built-in kind and those found in other kinds (Rollouts, JobSets), ACK resources and
selectors, maps, Lists, and Namespaces, which are labelled. Other objects are printed unchanged;
what seems to create pods and was not judged is named on stderr. Comments and order are kept.

Denied objects are left out, their messages are on stderr, and the exit code is 1. A workload
whose pods would be denied is left out too, whatever --workloads says.

Namespaces, ServiceAccounts and maps in the input override those of the cluster or of --state. What
the input lacks is read from there. A ServiceAccount in neither has no annotations.

Examples:
  carm-webhook inject -f pod.yaml -o diff
  carm-webhook inject -f namespaces.yaml -f apps/ -R --state cluster/
  kustomize build . | carm-webhook inject -f - -n team-a --state cluster/

${describeFlags(injectFlags, injectFlags.output)}`,
  run: inject,
};
