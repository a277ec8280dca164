import { adoptedResourceRows } from './adopted-resources.rows.ts';
import { bindingRows } from './bindings.rows.ts';
import { chainRows } from './chain.rows.ts';
import { controllerRoleRows } from './controller-roles.rows.ts';
import { eachEndpointRows } from './each-endpoint.rows.ts';
import { endpointRows } from './endpoints.rows.ts';
import { ephemeralContainerRows } from './ephemeral-containers.rows.ts';
import { keyRows } from './keys.rows.ts';
import { labelRows } from './labels.rows.ts';
import { mapRows } from './maps.rows.ts';
import { modeRows } from './modes.rows.ts';
import { namespaceSettingRows } from './namespace-settings.rows.ts';
import { namespaceRows } from './namespaces.rows.ts';
import { notOursRows } from './not-ours.rows.ts';
import { optedOutRows } from './opted-out.rows.ts';
import { podConfigRows } from './pod-config.rows.ts';
import { podBoundaryRows } from './pods-boundary.rows.ts';
import { podCompleteRows } from './pods-complete.rows.ts';
import { podEnvironmentRows } from './pods-environment.rows.ts';
import { podRoleRows } from './pods-role.rows.ts';
import { podSessionRows } from './pods-session.rows.ts';
import { rebindingRows } from './rebinding.rows.ts';
import { referenceRows } from './references.rows.ts';
import { resourceCompletedRows } from './resources-completed.rows.ts';
import { resourceDeniedRows } from './resources-denied.rows.ts';
import { resourceRoleRows } from './resources-role.rows.ts';
import { roleGrantRows } from './role-grants.rows.ts';
import type { Row } from './row.ts';
import { selectorRows } from './selectors.rows.ts';
import { terminatingNamespaceRows } from './terminating-namespaces.rows.ts';
import { tooLargeRows } from './too-large.rows.ts';
import { wayOutRows } from './ways-out.rows.ts';
import { workloadRows } from './workloads.rows.ts';

/** Every row, by subject. */
export const table: Readonly<Record<string, readonly Row[]>> = {
  'role of a pod': podRoleRows,
  'environment and token': podEnvironmentRows,
  'session names and instance metadata': podSessionRows,
  'pods that have credentials': podCompleteRows,
  'chain mode': chainRows,
  'boundary and conflicts': podBoundaryRows,
  "ACK's roles": controllerRoleRows,
  'opted out': optedOutRows,
  modes: modeRows,
  'ephemeral containers': ephemeralContainerRows,
  'AWS config of running pods': podConfigRows,
  'each endpoint': eachEndpointRows,
  workloads: workloadRows,
  namespaces: namespaceRows,
  'who may bind': bindingRows,
  'settings of namespaces': namespaceSettingRows,
  'values of labels': labelRows,
  'keys that are ignored': keyRows,
  'terminating namespaces': terminatingNamespaceRows,
  'rebinding of namespaces with resources': rebindingRows,
  'role of a resource': resourceRoleRows,
  'completion of a resource': resourceCompletedRows,
  'refusal of a resource': resourceDeniedRows,
  'adopted resources': adoptedResourceRows,
  'references across namespaces': referenceRows,
  'roles for pods': roleGrantRows,
  maps: mapRows,
  selectors: selectorRows,
  endpoints: endpointRows,
  'too large': tooLargeRows,
  'ways out': wayOutRows,
  'not ours and malformed': notOursRows,
};

export const rows: readonly Row[] = Object.values(table).flat();
