import { formatWarning } from '../../admission/catalogue/warnings.ts';
import type { Cluster } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { labelNamespace } from '../../admission/guards/labelling.ts';
import { invalidLabelWarnings } from '../../admission/guards/namespace-labels.ts';
import { decideLive } from '../../admission/live-view.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { templateOf, type WorkloadKind, withClaims } from '../../objects/pod-template.ts';
import { quote } from '../../objects/quote.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags, namespaceFlag, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import { describeFlags, echo, readFlags } from '../flags/flag.ts';
import { namespaceReviewOf } from '../inject/synthetic-review.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { openSource } from '../sources/open-source.ts';
import { exitCodes, MissingObjectError } from '../usage-error.ts';
import { type AskedPod, type Explanation, explainPod } from './explain.ts';
import { type AskedKind, askedKinds, readTarget } from './read-target.ts';
import { type Answer, renderAnswer } from './render-answer.ts';
import { beforeInjection, heldByPod } from './running-pod.ts';

const whyFlags = {
  namespace: { ...namespaceFlag, help: 'Namespace of the pod or workload' },
  output: outputFlag(['text', 'json']),
  ...clusterFlags,
  ...configFlags,
} as const;

/** A pod that asks for nothing of its own. */
const plainPod = { spec: { containers: [{ name: 'any' }] } };

/** @throws {MissingObjectError} */
async function answerForPod(namespace: string, name: string, source: ObjectSource, config: Config): Promise<Answer> {
  const object = await source.pod(namespace, name);
  if (object === undefined) {
    throw new MissingObjectError(`there is no pod ${echo(name)} in namespace ${echo(namespace)}`);
  }
  const asked = { namespace, name, object: beforeInjection(object) };
  const now = await explainWithNamespace(asked, clusterOf(source), config);
  return { kind: 'Pod', namespace, name, has: heldByPod(object), now };
}

/** The namespace's own reviews warn of bindings without effect, and of labels and keys that are ignored. */
async function namespaceWarnings(name: string, cluster: Cluster, config: Config): Promise<readonly string[]> {
  return decideLive(cluster, name, Number.POSITIVE_INFINITY, view => {
    const namespace = view.namespace(name);
    if (namespace === undefined) return [];
    const { reason, warnings = [] } = labelNamespace(namespaceReviewOf(namespace), view, config);
    // Whoever asks is told the whole denial of a pod already.
    const others = warnings.filter(warning => warning.reason !== 'BindingUnresolved');
    const ignored = [...invalidLabelWarnings(namespace, config), ...keyHints(namespace, 'namespace')];
    const said = [...ignored, ...others].map(formatWarning);
    if (reason !== 'Labelled') return said;
    return ['it is bound but not labelled carm-webhook.dev/inject=enabled: the webhook does not see its pods', ...said];
  });
}

async function answerForNamespace(name: string, source: ObjectSource, config: Config): Promise<Answer> {
  const asked = { namespace: name, name: 'any', called: 'a pod', object: plainPod };
  const now = await explainWithNamespace(asked, clusterOf(source), config);
  return { kind: 'Namespace', namespace: '', name, has: undefined, now };
}

async function answerForWorkload(
  workload: WorkloadKind,
  namespace: string,
  name: string,
  source: ObjectSource,
  config: Config,
): Promise<Answer> {
  const { kind } = workload;
  const object = await source.workload(workload, namespace, name);
  const template = object && templateOf(object, workload.template);
  if (object === undefined || template === undefined) {
    const what = object === undefined ? `there is no ${kind.toLowerCase()}` : `there is no pod template in ${kind}`;
    throw new MissingObjectError(`${what} ${echo(name)} in namespace ${echo(namespace)}`);
  }
  const called = `pods of ${kind} ${quote(name)}`;
  const asked = { namespace, name, called, object: withClaims(template, object, kind) };
  const now = await explainWithNamespace(asked, clusterOf(source), config);
  return { kind, namespace, name, has: undefined, now };
}

function answerFor(kind: AskedKind, name: string, namespace: string, source: ObjectSource, config: Config) {
  if (kind === 'Pod') return answerForPod(namespace, name, source, config);
  if (kind === 'Namespace') return answerForNamespace(name, source, config);
  return answerForWorkload(kind, namespace, name, source, config);
}

/** The decision on a pod, and what is wrong with its namespace: the webhook does not even see the pods of some. */
async function explainWithNamespace(asked: AskedPod, cluster: Cluster, config: Config): Promise<Explanation> {
  const now = await explainPod(asked, cluster, config);
  const ofNamespace = await namespaceWarnings(asked.namespace, cluster, config);
  return { ...now, warnings: [...new Set([...ofNamespace, ...now.warnings])] };
}

/** Everything is read as it is now. */
function clusterOf(source: ObjectSource): Cluster {
  return { cache: undefined, read: reference => source.read(reference) };
}

async function why(argv: readonly string[], { env, stdout }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(whyFlags, argv, env, 'why');
  const { kind, name } = readTarget(positionals);
  const config = configFrom(values, env);
  await using source = await openSource(values, config);
  const answer = await answerFor(kind, name, values.namespace, source, config);
  stdout.write(values.output === 'json' ? `${JSON.stringify(answer, undefined, 2)}\n` : renderAnswer(answer));
  return answer.now.denied ? exitCodes.denied : exitCodes.done;
}

/** `carm-webhook why`: the decision on one pod, on the pods of a workload or of a namespace, explained. */
export const command: Command = {
  flags: whyFlags,
  words: askedKinds,
  help: () => `Usage: carm-webhook why pod NAME [-n NAMESPACE] [flags]
       carm-webhook why deployment|statefulset|daemonset|replicaset|job|cronjob NAME [-n NAMESPACE]
       carm-webhook why namespace NAME [flags]

Shows what the webhook would decide now: the account, the role and where it comes from, the mode,
and what each container would get; for a pod in the cluster, also what it has now. For a workload
it is the decision on its pods, for a namespace that on a plain pod in it. Kinds may be written as
kubectl takes them (deploy/web, sts, ds, rs, cj, po, ns). The exit code is 1 if the pod would be
denied, or what was asked about does not exist.

Examples:
  carm-webhook why pod web-5d9c7b-x2x9f -n team-a
  carm-webhook why deployment web -n team-a
  carm-webhook why namespace team-a --state cluster/ -o json

${describeFlags(whyFlags, whyFlags.output)}`,
  run: why,
};
