import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { apiPaths } from '../../cluster/api/api-requests.ts';
import { connect } from '../../cluster/api/connect.ts';
import type { Command, Surroundings } from '../command.ts';
import { clusterFlags } from '../flags/cluster-flags.ts';
import { describeFlags, readFlags, rejectArguments } from '../flags/flag.ts';
import { exitCodes } from '../usage-error.ts';

const configurationName = 'zz-carm-webhook';
const configurationResources = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'] as const;
const callLimitMs = 10_000;
/** Each replica of the API server learns by a watch that they are gone. */
const noticedMs = 2_000;

const { kubeconfig, context } = clusterFlags;
const removeFlags = { kubeconfig, context } as const;

async function remove(argv: readonly string[], { env, stdout }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(removeFlags, argv, env, 'remove-configurations');
  rejectArguments('remove-configurations', positionals);
  const pool = connect(values).pool(1);
  try {
    for (const resource of configurationResources) {
      try {
        await pool.delete(apiPaths.webhookConfiguration(resource, configurationName), AbortSignal.timeout(callLimitMs));
        stdout.write(`${resource}/${configurationName} removed\n`);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!error.notFound) {
          throw new ClusterUnreachableError(`cannot remove ${resource}/${configurationName}: ${error.message}`);
        }
        stdout.write(`${resource}/${configurationName} is not there\n`);
      }
    }
    await sleep(noticedMs);
  } finally {
    await pool.close();
  }
  return exitCodes.done;
}

/** `carm-webhook remove-configurations`: nothing calls the webhook any more, so that it can be removed. */
export const command: Command = {
  flags: removeFlags,
  help: () => `Usage: carm-webhook remove-configurations [flags]

Removes both webhook configurations, so that no pod waits for a webhook that is about to be removed.
The Helm chart runs it as a Job before a release is uninstalled. Configurations that are not there
are no error.

Examples:
  carm-webhook remove-configurations
  carm-webhook remove-configurations --context production

${describeFlags(removeFlags, removeFlags.kubeconfig)}`,
  run: remove,
};
