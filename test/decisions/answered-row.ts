import { type Admitted, createAdmit } from '../../src/admission/admit.ts';
import type { Cluster } from '../../src/admission/cluster.ts';
import type { Rules } from '../../src/admission/rules.ts';
import { readFlags } from '../../src/cli/flag.ts';
import { ruleFlags, rulesFrom } from '../../src/cli/rule-flags.ts';
import { StateDirectory } from '../../src/cluster/state-directory.ts';
import { type FlagSet, flagSets } from './flag-sets.ts';
import { readRequestBytes } from './review.ts';
import type { Row } from './row.ts';
import { writeState } from './state.ts';

const deadlineMs = 5_000;

/** The rules by which the server of the row decides, out of its flags. */
function rulesOf(server: FlagSet): Rules {
  return rulesFrom(readFlags(ruleFlags, flagSets[server], {}).values, {});
}

async function openTableState(): Promise<Cluster> {
  const state = await writeState();
  try {
    const directory = await StateDirectory.open({ folder: state.folder });
    // It knows what it has read, and looks no more.
    directory.close();
    return directory;
  } finally {
    await state.remove();
  }
}

let opening: Promise<Cluster> | undefined;

/** The state of the table, opened once in a process. */
export function tableState(): Promise<Cluster> {
  opening ??= openTableState();
  return opening;
}

/** Answers the review of a row in this process, by the state of the table or what else stands for it. */
export async function answeredRow(row: Row, cluster?: Cluster): Promise<Admitted> {
  const admit = createAdmit(cluster ?? (await tableState()), rulesOf(row.server ?? 'plain'));
  return admit(row.endpoint ?? 'mutate', await readRequestBytes(row.review), deadlineMs);
}
