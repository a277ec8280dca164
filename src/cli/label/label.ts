import type { Config } from '../../admission/config.ts';
import { ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import { describeFlags, readFlags, rejectArguments, switchFlag } from '../flags/flag.ts';
import type { NamespaceWriter } from '../sources/namespace-writer.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { openSource } from '../sources/open-source.ts';
import { exitCodes, UsageError } from '../usage-error.ts';
import { ExpectedDenials } from './expected-denials.ts';
import { type LeftOut, labelChoice } from './label-choice.ts';
import { type LabelReport, type LabelRow, renderJson, renderTable } from './render-labels.ts';
import { writeLabel } from './write-label.ts';

const labelFlags = {
  dryRun: switchFlag('--dry-run', 'Only show what would be labelled and what would be left out'),
  allowLeftOut: switchFlag('--allow-left-out', 'Exit with 0 even if namespaces were left out'),
  output: outputFlag(['table', 'json']),
  ...clusterFlags,
  ...configFlags,
} as const;

/** Writes in a row that may fail: what is wrong then is not one namespace. */
const mostFailures = 10;

interface Plan {
  /** Bound, not labelled, and without a pod that would be denied. */
  readonly toLabel: readonly Namespace[];
  readonly leftOut: readonly LabelRow[];
  readonly labelledBefore: number;
  readonly optedOut: number;
}

/** What is to be done, by the whole cluster as it is now. @throws {ClusterUnreachableError} */
async function planFor(source: ObjectSource, config: Config): Promise<Plan> {
  const state = await source.bindings(undefined);
  const choices = [...state.namespaces()].map(namespace => ({ namespace, choice: labelChoice(namespace, config) }));
  const bound = choices.flatMap(({ namespace, choice }) => (choice === 'bound' ? [namespace] : []));
  const denials = new ExpectedDenials(state, config, new Set(bound.map(({ name }) => name)));
  await denials.find(source);
  const denied = (name: string): readonly LeftOut[] => denials.of(name);
  const leftOut = choices.flatMap(({ namespace: { name }, choice }): readonly LabelRow[] => {
    const reasons = choice === 'bound' ? denied(name) : typeof choice === 'string' ? [] : [choice];
    return reasons.length === 0 ? [] : [{ namespace: name, result: 'left out', reasons }];
  });
  const count = (which: 'labelled' | 'opted-out') => choices.filter(({ choice }) => choice === which).length;
  return {
    toLabel: bound.filter(({ name }) => denied(name).length === 0),
    leftOut,
    labelledBefore: count('labelled'),
    optedOut: count('opted-out'),
  };
}

function labelled(namespace: string): LabelRow {
  return { namespace, result: 'labelled', reasons: [] };
}

interface Writes {
  readonly rows: readonly LabelRow[];
  readonly failed: boolean;
  /** Why the rest was not tried. */
  readonly stopped?: string;
}

/** Labels one namespace after the other. */
async function writeAll(namespaces: readonly Namespace[], writer: NamespaceWriter, dryRun: boolean): Promise<Writes> {
  const rows: LabelRow[] = [];
  let failed = false;
  let failures = 0;
  for (const [index, namespace] of namespaces.entries()) {
    try {
      const written = await writeLabel(namespace, writer, dryRun);
      failures = 0;
      if (written === 'gone') continue;
      if (written === 'labelled') rows.push(labelled(namespace.name));
      else rows.push({ namespace: namespace.name, result: 'left out', reasons: [written] });
    } catch (error) {
      // What was done before is told all the same.
      if (!(error instanceof ClusterUnreachableError)) throw error;
      const reasons = [{ reason: 'NotWritten', message: error.message }];
      rows.push({ namespace: namespace.name, result: 'left out', reasons });
      failed = true;
      failures += 1;
      if (failures < mostFailures) continue;
      const rest = namespaces.length - index - 1;
      return {
        rows,
        failed,
        stopped: `${error.message}; after ${failures} failures in a row, ${rest} more were not tried`,
      };
    }
  }
  return { rows, failed };
}

function isWriter(source: ObjectSource): source is ObjectSource & NamespaceWriter {
  return 'patchNamespace' in source;
}

async function label(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(labelFlags, argv, env, 'label');
  rejectArguments('label', positionals);
  const { dryRun, output, allowLeftOut, state } = values;
  if (state !== undefined && !dryRun) throw new UsageError('--state needs --dry-run: a folder cannot be labelled');
  const config = configFrom(values, env);
  await using source = await openSource(values, config);
  const { toLabel, leftOut, labelledBefore, optedOut } = await planFor(source, config);
  const { rows, failed, stopped } = isWriter(source)
    ? await writeAll(toLabel, source, dryRun)
    : { rows: toLabel.map(({ name }) => labelled(name)), failed: false };
  const all = [...leftOut, ...rows].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  const report: LabelReport = { dryRun, rows: all, labelledBefore, optedOut };
  stdout.write(output === 'json' ? renderJson(report) : renderTable(report));
  if (stopped !== undefined) stderr.write(`carm-webhook: ${stopped}\n`);
  if (failed) return exitCodes.unreachable;
  return all.some(({ result }) => result === 'left out') && !allowLeftOut ? exitCodes.denied : exitCodes.done;
}

/** `carm-webhook label`: labels the namespaces that were bound before the webhook was installed. */
export const command: Command = {
  flags: labelFlags,
  help: () => `Usage: carm-webhook label [flags]

Labels namespaces carm-webhook.dev/inject=enabled that are bound and have no such label: those that
were bound before the webhook was installed, or while it was bypassed. Left out, and listed, are:
those with pods or workloads that would then be denied, those that are bound to nothing that the
webhook finds, those with only a team id while the feature gate TeamLevelCARM is off, and those
whose label has a value that means nothing. Namespaces with the label, those that opted out,
kube-system, kube-public, kube-node-lease and the webhook's own stay as they are.

Give it the flags of your Deployment: --default-mode decides what would be denied. The exit code is
1 if namespaces were left out, and 3 if one could not be written. It can be run again at any time.

It needs the right to list namespaces, serviceaccounts, pods and workloads, to get the two maps, and
to get and patch namespaces. deploy/examples/label-job.yaml has all of that.

Examples:
  carm-webhook label --dry-run --context production
  carm-webhook label --default-mode=audit -o json

${describeFlags(labelFlags, labelFlags.output)}`,
  run: label,
};
