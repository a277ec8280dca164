import type { Config } from '../../admission/config.ts';
import { isPossibleName } from '../../cluster/api/api-object.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags, namespaceFlag, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import {
  describeFlags,
  echo,
  optionalFlag,
  parserOf,
  readFlags,
  rejectArguments,
  switchFlag,
  valueFlag,
} from '../flags/flag.ts';
import { parseDurationMs } from '../flags/flag-values.ts';
import { ApiSource } from '../sources/api-source.ts';
import { UsageError } from '../usage-error.ts';
import { renderJson, renderTable, renderVerification } from './render-verification.ts';
import { exitCodeOf } from './verification.ts';
import { listTargets, mostTargets, readOnceCluster, verifyAll } from './verify-all.ts';
import { type Sources, verifyTarget } from './verify-target.ts';

const defaultServiceAccount = 'default';

function parseTimeout(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs < 1000) throw new Error('is shorter than 1s');
  return durationMs;
}

const verifyFlags = {
  namespace: { ...namespaceFlag, help: 'Namespace of the ServiceAccount' },
  serviceAccount: optionalFlag(
    '--serviceaccount NAME',
    `ServiceAccount whose pods are verified (default: ${defaultServiceAccount})`,
    parserOf(text => (isPossibleName(text) ? text : undefined), 'is not the name of a ServiceAccount'),
  ),
  all: switchFlag(
    '--all',
    'Verify every bound namespace: its ServiceAccount default, and those with annotations of their own',
  ),
  timeoutMs: valueFlag(
    '--timeout DURATION',
    'Time limit for everything; each call of AWS has 12s',
    parseTimeout,
    '10m',
  ),
  output: outputFlag(['text', 'json']),
  ...clusterFlags,
  state: { ...clusterFlags.state, help: 'Not supported: tokens come from a cluster' },
  ...configFlags,
} as const;

type Env = Surroundings['env'];

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'] as const;

/** The endpoint that the environment names in place of AWS's own. @throws {UsageError} */
function endpointFrom(env: Env): string | undefined {
  const text = env['AWS_ENDPOINT_URL_STS'] || undefined;
  if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw new UsageError(`AWS_ENDPOINT_URL_STS ${echo(text)} is not an http or https URL`);
}

/** What the flags must not say. @throws {UsageError} */
function checkFlags(
  { state, all, serviceAccount }: { state: string | undefined; all: boolean; serviceAccount: string | undefined },
  argv: readonly string[],
): void {
  if (state !== undefined) {
    throw new UsageError('verify cannot be combined with --state: it needs tokens, which only a cluster gives');
  }
  const namesOne = serviceAccount !== undefined || argv.some(word => /^(?:-n|--namespace)/.test(word));
  if (all && namesOne) throw new UsageError('--all cannot be combined with --namespace and --serviceaccount');
}

function sourcesOf(source: ApiSource, env: Env): Sources {
  const endpoint = endpointFrom(env);
  const proxyEnv = Object.fromEntries(proxyVariables.map(name => [name, env[name]]));
  return {
    cluster: { cache: undefined, read: lookup => source.read(lookup) },
    requestToken: (namespace, name, audience) => source.requestToken(namespace, name, audience),
    stsIn: async region => {
      // The SDK takes long to load, and what is denied needs none.
      const { Sts } = await import('../../aws/sts.ts');
      return new Sts({ region, endpoint, proxyEnv });
    },
  };
}

/** A line on a terminal that is written again and again. */
function progressOn(stderr: Surroundings['stderr'], total: number): (count: number) => void {
  if (!('isTTY' in stderr) || stderr.isTTY !== true) return () => {};
  return count => stderr.write(`\r${count} of ${total} verified${count === total ? '\n' : ''}`);
}

async function verifyCluster(
  source: ApiSource,
  sources: Sources,
  config: Config,
  signal: AbortSignal,
  stderr: Surroundings['stderr'],
) {
  const [namespaces, serviceAccounts] = await Promise.all([source.namespaces(), source.serviceAccounts()]);
  const cluster = readOnceCluster(namespaces, serviceAccounts, sources.cluster.read);
  const found = listTargets(namespaces, serviceAccounts, config);
  const targets = found.slice(0, mostTargets);
  if (found.length > targets.length) {
    stderr.write(`not verified: ${found.length - targets.length} ServiceAccounts beyond the first ${mostTargets}\n`);
  }
  const verify = (target: (typeof targets)[number]) => verifyTarget(target, { ...sources, cluster }, config, signal);
  return verifyAll(targets, verify, signal, progressOn(stderr, targets.length));
}

async function verify(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(verifyFlags, argv, env, 'verify');
  rejectArguments('verify', positionals);
  checkFlags(values, argv);
  const { all, namespace, serviceAccount = defaultServiceAccount, output, kubeconfig, context, timeoutMs } = values;
  const config = configFrom(values, env);
  await using source = new ApiSource({ kubeconfig, context }, config);
  const sources = sourcesOf(source, env);
  const signal = AbortSignal.timeout(timeoutMs);
  const verifications = all
    ? await verifyCluster(source, sources, config, signal, stderr)
    : [await verifyTarget({ namespace, serviceAccount }, sources, config, signal)];
  const asText = all ? renderTable : () => verifications.map(renderVerification).join('');
  stdout.write(output === 'json' ? renderJson(verifications) : asText(verifications));
  return exitCodeOf(verifications);
}

/** `carm-webhook verify`: whether pods really get their role. */
export const command: Command = {
  flags: verifyFlags,
  help: () => `Usage: carm-webhook verify [-n NAMESPACE] [--serviceaccount NAME] [flags]
       carm-webhook verify --all [flags]

Finds out whether pods really get their role: it takes a token of the ServiceAccount, with your own
rights, and makes the calls to AWS STS that the AWS SDK in a pod would make. It shows the identity
that AWS sees at each step, or what AWS refuses, what that means, and who can fix it. Tokens and
credentials are used at once, and neither kept nor printed. What the webhook denies is not tried.

It needs the rights of carm-webhook-reader, and the right to create serviceaccounts/token: whoever
has it can act as these ServiceAccounts, in the cluster and in AWS. AWS credentials and profiles of
your own are not used. AWS_ENDPOINT_URL_STS and HTTPS_PROXY are.

Examples:
  carm-webhook verify -n team-a
  carm-webhook verify -n team-a --serviceaccount reports -o json
  carm-webhook verify --all --default-region=eu-central-1

Exit codes: 0 verified; 1 AWS refuses, or the webhook denies; 3 the cluster or AWS does not answer.

${describeFlags(verifyFlags, verifyFlags.output)}`,
  run: verify,
};
