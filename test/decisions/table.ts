import { ephemeralContainerRows } from './ephemeral-containers.rows.ts';
import { modeRows } from './modes.rows.ts';
import { namespaceRows } from './namespaces.rows.ts';
import { notOursRows } from './not-ours.rows.ts';
import { podBoundaryRows } from './pods-boundary.rows.ts';
import { podEnvironmentRows } from './pods-environment.rows.ts';
import { podRoleRows } from './pods-role.rows.ts';
import type { Row } from './row.ts';
import { workloadRows } from './workloads.rows.ts';

/** Every row, by subject. */
export const table: Readonly<Record<string, readonly Row[]>> = {
  'role of a pod': podRoleRows,
  'environment and token': podEnvironmentRows,
  'boundary and conflicts': podBoundaryRows,
  modes: modeRows,
  'ephemeral containers': ephemeralContainerRows,
  workloads: workloadRows,
  namespaces: namespaceRows,
  'not ours and malformed': notOursRows,
};

export const rows: readonly Row[] = Object.values(table).flat();
