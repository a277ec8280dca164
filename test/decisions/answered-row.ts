import { createAdmit, type ReviewResult } from '../../src/admission/admit.ts';
import type { Cluster, Lookup, LookupResult } from '../../src/admission/cluster.ts';
import type { Config } from '../../src/admission/config.ts';
import { configFlags, configFrom } from '../../src/cli/flags/config-flags.ts';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { StateDirectory } from '../../src/cluster/state/state-directory.ts';
import { type FlagSet, flagSets } from './flag-sets.ts';
import { readRequestBytes } from './review.ts';
import type { Row } from './row.ts';
import { grants, writeState } from './state.ts';

const deadlineMs = 5_000;

/** The config by which the server of the row decides, out of its flags. */
function configOf(server: FlagSet): Config {
  return configFrom(readFlags(configFlags, flagSets[server], {}).values, {});
}

/** A cluster that knows what some users may bind. */
function withGrants(cluster: Cluster): Cluster {
  return {
    cache: cluster.cache,
    async read<L extends Lookup>(lookup: L, namespace: string, deadline: number): Promise<LookupResult<L>> {
      const granted = lookup.kind === 'BindGrant' ? grants[lookup.user.username] : undefined;
      if (lookup.kind !== 'BindGrant' || granted === undefined) return cluster.read(lookup, namespace, deadline);
      const { resource, id } = lookup.grant;
      const has = granted.includes('*') || granted.includes(`${resource}/${id}`);
      const isUnsure = granted.includes('unsure');
      return (has ? 'granted' : isUnsure ? 'unsure' : 'denied') as LookupResult<L>;
    },
  };
}

async function openTableState(roleSelectors: boolean): Promise<Cluster> {
  const state = await writeState();
  try {
    const directory = await StateDirectory.open({ folder: state.folder, roleSelectors });
    // It knows what it has read, and looks no more.
    directory.close();
    return withGrants(directory);
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
