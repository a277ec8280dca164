/** What decisions read of each kind of object, and how much of it is kept. */

import { injectLabel } from '../accounts/served-namespace.ts';
import { UnverifiedError } from '../admission/cluster.ts';
import { modeLabel } from '../admission/mode.ts';
import { isReadAnnotation, probablyMeant } from '../injection/near-miss.ts';
import type { Taking } from '../objects/json-stream.ts';
import type { Namespace } from '../objects/namespace.ts';
import type { RoleMap } from '../objects/role-map.ts';
import { type RoleSelector, readRoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import { type KeptBounds, type KeptMetadata, projectMetadata, type Want, type WantedKeys } from './kept-metadata.ts';
import { ObjectTooLongError, type Projection, projectField, projection } from './projection.ts';

/**
 * What a namespace's labels, beyond those that are ours, may take in memory: namespaces have some twenty, of 100 characters
 * at most. One with more is decided live: it costs its owner time, and nobody memory.
 */
const labelsInMemory: KeptBounds = { entries: 64, characters: 4096 };
/** What one namespace may take for the time of a review. */
const labelsOfReview: KeptBounds = { entries: 1000, characters: 65_536 };

/** A longest ARN, an audience, a number or two. More of it is wrong somewhere, which is told live. */
const annotationsInMemory: KeptBounds = { entries: 16, characters: 4096 };
/** Never reached: there are five, each cut. */
const annotationsOfReview: KeptBounds = { entries: 16, characters: 16_384 };

/** The labels of namespaces that decisions can ask for. */
export interface AskedLabels {
  /** Whether IAMRoleSelectors, which may ask for any, are looked at. */
  readonly every: boolean;
  /** Whether a selector that is known asks for it: such a label is read however many there are. */
  readonly isKnown: (key: string) => boolean;
}

function wantedOfNamespaces({ every, isKnown }: AskedLabels): WantedKeys {
  return {
    label: key => {
      if (key === injectLabel || key === modeLabel) return 'always';
      if (!every) return undefined;
      return isKnown(key) ? 'always' : 'within-bounds';
    },
    annotation: key => (isReadAnnotation(key, 'namespace') ? 'always' : undefined),
  };
}

/** A namespace in memory. */
export interface RememberedNamespace extends Namespace {
  /** Whether it has more labels than are kept: then a decision that asks for its labels is made live. */
  readonly isCut: boolean;
}

/** Namespaces as they are remembered. */
export function rememberNamespaces(asked: AskedLabels): Projection<RememberedNamespace> {
  const wanted = wantedOfNamespaces(asked);
  return projectMetadata(
    () => wanted,
    labelsInMemory,
    (kept, { name }) => ({ name, ...kept }),
  );
}

/** Labels of which some were left out: asked for one that may be among them, it says that it does not know. */
class CutLabels extends Map<string, string> {
  readonly #namespace: string;

  constructor(labels: ReadonlyMap<string, string>, namespace: string) {
    super(labels);
    this.#namespace = namespace;
  }

  /** @throws {UnverifiedError} */
  override get(key: string): string | undefined {
    const value = super.get(key);
    // Those that are ours are read whatever else there is.
    if (value !== undefined || key === injectLabel || key === modeLabel) return value;
    throw new UnverifiedError(
      503,
      `namespace ${JSON.stringify(this.#namespace)} has too many labels to look at all of them`,
    );
  }
}

function namespaceOf({ labels, annotations, isCut }: KeptMetadata, name: string): Namespace {
  return { name, labels: isCut ? new CutLabels(labels, name) : labels, annotations };
}

/** One namespace, for the time of a review. */
export function readNamespaceLive(asked: AskedLabels): Projection<Namespace> {
  const wanted = wantedOfNamespaces(asked);
  return projectMetadata(
    () => wanted,
    labelsOfReview,
    (kept, { name }) => namespaceOf(kept, name),
  );
}

/** All namespaces, for the time of a review. */
export function listNamespacesLive(asked: AskedLabels): Projection<Namespace> {
  const wanted = wantedOfNamespaces(asked);
  return projectMetadata(
    () => wanted,
    labelsInMemory,
    (kept, { name }) => namespaceOf(kept, name),
  );
}

/** What anyone may write many of: so many keys of an object are kept at most, and no value. */
const mostSlips = 5;
/** Keys that are held against what may have been meant: each takes some microseconds. */
const mostSuspects = 500;

/** The annotations that are read, and some that are slips: those are warned of. Asked anew for each object. */
function wantedOfServiceAccount(): WantedKeys {
  let slips = 0;
  let suspects = 0;
  return {
    label: () => undefined,
    annotation: (key): Want => {
      if (isReadAnnotation(key, 'ServiceAccount')) return 'within-bounds';
      if (slips === mostSlips || suspects === mostSuspects || !key.includes('/')) return undefined;
      suspects += 1;
      if (probablyMeant(key) === undefined) return undefined;
      slips += 1;
      return 'key-alone';
    },
  };
}

/** In memory in place of a ServiceAccount that has too much of what is read: decided live, as if it were not there. */
export const tooLargeToRemember: ServiceAccount = { annotations: new Map() };

/** ServiceAccounts as they are remembered. */
export const rememberServiceAccounts: Projection<ServiceAccount> = projectMetadata(
  wantedOfServiceAccount,
  annotationsInMemory,
  kept => (kept.isCut ? tooLargeToRemember : kept),
);

/** One ServiceAccount, for the time of a review. */
export const readServiceAccountLive: Projection<ServiceAccount> = projectMetadata(
  wantedOfServiceAccount,
  annotationsOfReview,
  kept => kept,
);

/** https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/types.go (MaxSecretSize): keys and values of a ConfigMap. */
const mostMapCharacters = 1024 * 1024;
/** One more than the longest ARN: what is cut is wrong anyhow, and stays so. */
const longestMapValue = 2049;

/** The maps: `data` of a ConfigMap. */
export const projectRoleMaps: Projection<RoleMap> = projection(() => {
  const entries = new Map<string, string>();
  let characters = 0;
  const member = (key: string): Taking => ({
    kind: 'string',
    longest: longestMapValue,
    take: value => {
      if (value === undefined) return;
      characters += key.length + value.length;
      if (characters <= mostMapCharacters) entries.set(key, value);
    },
  });
  return {
    member: key => (key === 'data' ? { kind: 'object', member } : undefined),
    value: () => {
      if (characters > mostMapCharacters) throw new ObjectTooLongError('data', mostMapCharacters, 'characters');
      return entries;
    },
  };
});

/**
 * The spec of an IAMRoleSelector, which is parsed as a whole: thousands of names. Only who administers the cluster writes
 * them, and ACK's controllers hold them too.
 */
const mostSelectorBytes = 256 * 1024;

export const projectRoleSelectors: Projection<RoleSelector> = projectField('spec', mostSelectorBytes, readRoleSelector);
