import type { Method } from '../testbed/api-client.ts';
import { chosenKubernetes } from '../testbed/binaries.ts';

/** Who makes a call; all may do everything, so that only admission decides. */
export type Caller =
  | 'admin'
  | 'break-glass'
  | 'namespace-controller'
  | 'garbage-collector'
  | 'deployment-controller'
  | 'cronjob-controller'
  /** All controllers, where they have no credentials of their own. */
  | 'controller-manager'
  /** A ServiceAccount of ACK's, in the ACK system namespace. */
  | 'ack-controller'
  /** One of the same name elsewhere. */
  | 'ack-lookalike'
  /** Another one in the ACK system namespace. */
  | 'ack-neighbour';

/** The shipped entries, each with the path that it calls. */
export const entries = [
  'mutate/pods.carm-webhook.dev',
  'mutate/namespaces.carm-webhook.dev',
  'mutate/resources.carm-webhook.dev',
  'validate/pods.carm-webhook.dev',
  'validate/workloads.carm-webhook.dev',
  'validate/namespaces.carm-webhook.dev',
  'validate/resources.carm-webhook.dev',
  'validate/status.carm-webhook.dev',
  'validate/maps.carm-webhook.dev',
  'validate/selectors.carm-webhook.dev',
  'keys/keys.carm-webhook.dev',
] as const;
export type Entry = (typeof entries)[number];

export interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** One row of the table: a call, and which entries must see it. */
export interface MatchCase {
  readonly what: string;
  readonly by?: Caller;
  /** Calls made before, which no entry may see. `name` is fresh for each run of the row. */
  readonly given?: (name: string) => readonly Call[];
  readonly call: (name: string) => Call;
  readonly seenBy: readonly Entry[];
  /** The version of Kubernetes from which on there is such a call; without it, every one. */
  readonly since?: '1.33';
  /** What the API server answers once admission has let it pass, where that is no success. */
  readonly status?: number;
}

/** Why the API server that is tested has no such call; false where it has. */
export function missingCall({ since }: MatchCase): string | false {
  const version = chosenKubernetes();
  return since !== undefined && version !== undefined && version.localeCompare(since, 'en', { numeric: true }) < 0
    ? `Kubernetes ${version} has no such call, ${since} has`
    : false;
}

export const podSpec = { containers: [{ name: 'app', image: 'app' }] } as const;

/** A template that a selector of the same name finds. */
export function podTemplate(name: string): object {
  return { metadata: { labels: { app: name } }, spec: podSpec };
}

export function pod(name: string): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec };
}

const namespaces = '/api/v1/namespaces';

/** Creates a namespace with these annotations and labels. */
export function createNamespace(name: string, metadata: object = {}): Call {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
  return { method: 'POST', path: namespaces, body };
}

/** A JSON merge patch of a namespace's metadata: null takes a key away. */
export function patchNamespace(name: string, metadata: object): Call {
  return { method: 'PATCH', path: `${namespaces}/${name}`, body: { metadata } };
}

/** Makes a namespace that may be there already. */
export function makeSure(name: string): Call {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const contentType = 'application/apply-patch+yaml';
  return { method: 'PATCH', path: `${namespaces}/${name}?fieldManager=table`, contentType, body };
}
