import { createAdmit, type ReviewResult } from '../../src/admission/admit.ts';
import type { Cluster } from '../../src/admission/cluster.ts';
import type { Config } from '../../src/admission/config.ts';
import { configFlags, configFrom } from '../../src/cli/flags/config-flags.ts';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { StateDirectory } from '../../src/cluster/state/state-directory.ts';
import { type FlagSet, flagSets } from './flag-sets.ts';
import { readRequestBytes } from './review.ts';
import type { Row } from './row.ts';
import { writeState } from './state.ts';

const deadlineMs = 5_000;

/** The config by which the server of the row decides, out of its flags. */
function configOf(server: FlagSet): Config {
  return configFrom(readFlags(configFlags, flagSets[server], {}).values, {});
}

async function openTableState(roleSelectors: boolean): Promise<Cluster> {
  const state = await writeState();
  try {
    const directory = await StateDirectory.open({ folder: state.folder, roleSelectors });
    // It knows what it has read, and looks no more.
    directory.close();
    return directory;
  } finally {
    await state.remove();
  }
}

const openings = new Map<boolean, Promise<Cluster>>();

/** The state of the table, opened once in a process; once more where IAMRoleSelectors are looked at. */
function tableState(roleSelectors: boolean): Promise<Cluster> {
  const opening = openings.get(roleSelectors) ?? openTableState(roleSelectors);
  openings.set(roleSelectors, opening);
  return opening;
}

/** Answers the review of a row in this process, by the state of the table or what else stands for it. */
export async function answeredRow(row: Row, cluster?: Cluster): Promise<ReviewResult> {
  const config = configOf(row.server ?? 'plain');
  const admit = createAdmit(cluster ?? (await tableState(config.featureGates.IAMRoleSelector)), config);
  return admit(row.endpoint ?? 'mutate', await readRequestBytes(row.review), deadlineMs);
}
