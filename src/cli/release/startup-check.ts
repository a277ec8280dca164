import { setTimeout as sleep } from 'node:timers/promises';
import type { AccountId } from '../../accounts/account-id.ts';
import type { Config } from '../../admission/config.ts';
import type { ApiPool } from '../../cluster/api/api-connection.ts';
import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { apiPaths } from '../../cluster/api/api-requests.ts';
import { connect } from '../../cluster/api/connect.ts';
import { quote } from '../../objects/quote.ts';
import { readRoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import { describeFlags, readFlags, rejectArguments, valueFlag } from '../flags/flag.ts';
import { parseDurationMs, parseNamespaceName } from '../flags/flag-values.ts';
import { exitCodes } from '../usage-error.ts';
import { accountWithRole, bindingPatch, isDeniedAsUnbound, isInjected, probePod } from './startup-probe.ts';

const { state: _, ...ofCluster } = clusterFlags;
const startupFlags = {
  namespace: valueFlag(
    '-n, --namespace NAMESPACE',
    'Namespace to try in; it is bound while the check runs',
    parseNamespaceName,
    'carm-webhook-startup-check',
  ),
  timeoutMs: valueFlag('--timeout DURATION', 'How long to go on trying', parseDurationMs, '180s'),
  ...ofCluster,
  ...configFlags,
} as const;

const callLimitMs = 10_000;
const betweenTriesMs = 1_000;

/** An error to be thrown when one try has not shown what it should; the message says what was seen. */
class NotYet extends Error {
  override readonly name = 'NotYet';
}

class StartupProbe {
  readonly #pool: ApiPool;
  readonly #namespace: string;
  readonly #config: Config;

  constructor(pool: ApiPool, namespace: string, config: Config) {
    this.#pool = pool;
    this.#namespace = namespace;
    this.#config = config;
  }

  /** @returns what was shown. @throws {NotYet | ApiError | ClusterUnreachableError} */
  async try(): Promise<string> {
    const account = await this.#account();
    if (account !== undefined && (await this.#bind(account))) {
      const pod = await this.#pool.postJson(apiPaths.newPodDryRun(this.#namespace), probePod, { signal: limit() });
      if (!isInjected(pod))
        throw new NotYet('a pod was created without a role: the API server does not call the webhook yet');
      return `a pod of account ${account} was given its role`;
    }
    const unboundBecause =
      account === undefined ? 'no account has a role for pods yet' : 'to bind one is not allowed here';
    await this.#patch(undefined, true);
    try {
      await this.#pool.postJson(apiPaths.newPodDryRun(this.#namespace), probePod, { signal: limit() });
    } catch (error) {
      if (error instanceof ApiError && isDeniedAsUnbound(error.said)) {
        return `a pod of a namespace that is not bound was denied (${unboundBecause})`;
      }
      throw error;
    }
    throw new NotYet(
      'a pod was created in a namespace that is not bound: the API server does not call the webhook yet',
    );
  }

  /** Leaves the namespace as it was. */
  async end(): Promise<void> {
    await this.#patch(undefined, false);
  }

  async #account(): Promise<AccountId | undefined> {
    const path = apiPaths.configMap(this.#config.ackSystems[0].namespace, roleMapNames.account);
    try {
      return accountWithRole(readRoleMap(await this.#pool.getJson(path, { signal: limit() })), this.#config);
    } catch (error) {
      if (error instanceof ApiError && error.notFound) return undefined;
      throw error;
    }
  }

  /** Whether it could be bound: only some may, where the server asks who binds. */
  async #bind(account: AccountId): Promise<boolean> {
    try {
      await this.#patch(account, true);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.said.includes('(BindingForbidden)')) return false;
      throw error;
    }
  }

  #patch(account: AccountId | undefined, isManaged: boolean): Promise<void> {
    return this.#pool.mergePatch(apiPaths.namespace(this.#namespace), bindingPatch(account, isManaged), limit());
  }
}

const limit = (): AbortSignal => AbortSignal.timeout(callLimitMs);

/** What stood in the way, in the words of whoever said it. */
function whyNot(error: unknown): string {
  if (error instanceof ApiError) return error.said || error.message;
  if (error instanceof NotYet || error instanceof ClusterUnreachableError) return error.message;
  throw error;
}

async function check(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(startupFlags, argv, env, 'startup-check');
  rejectArguments('startup-check', positionals);
  const { namespace, timeoutMs, kubeconfig, context } = values;
  const pool = connect({ kubeconfig, context }).pool(1);
  const probe = new StartupProbe(pool, namespace, configFrom(values, env));
  const untilMs = performance.now() + timeoutMs;
  let why = '';
  try {
    for (;;) {
      try {
        const shown = await probe.try();
        await probe.end();
        stdout.write(`The webhook answers: ${shown}.\n`);
        return exitCodes.done;
      } catch (error) {
        const now = whyNot(error);
        // The same again and again would fill the log.
        if (now !== why) stderr.write(`not yet: ${now}\n`);
        why = now;
      }
      if (performance.now() >= untilMs) break;
      await sleep(betweenTriesMs);
    }
    // While the webhook is down, this fails too. That does no harm: the next check starts by binding the namespace again.
    await probe.end().catch(whyNot);
  } finally {
    await pool.close();
  }
  stderr.write(
    `carm-webhook: no pod was injected in namespace ${quote(namespace)} within ${timeoutMs / 1000}s: ${why}\n`,
  );
  return exitCodes.denied;
}

/** `carm-webhook startup-check`: proves that the API server calls the webhook, and that it injects. */
export const command: Command = {
  flags: startupFlags,
  help: () => `Usage: carm-webhook startup-check [flags]

Binds a namespace to an account of the account map and creates a pod in it as a dry run, until the
pod gets its role. Where no account has a role for pods yet, the pod must be denied for that.
Nothing stays: the namespace is as before afterwards, and must be there for this alone. The Helm
chart runs it as a Job when a release is installed, upgraded or rolled back. The exit code is 1 if
this was not shown in time.

Give it the flags of your Deployment. It needs the rights to get the account map, to patch the
namespace, and to create pods in it.

Examples:
  carm-webhook startup-check --namespace carm-webhook-startup-check
  carm-webhook startup-check --timeout 30s --context production

${describeFlags(startupFlags, startupFlags.timeoutMs)}`,
  run: check,
};
