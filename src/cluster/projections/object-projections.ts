/** What decisions read of each kind of object, and how much of it is taken. */

import { UnverifiedError } from '../../admission/cluster.ts';
import type { Taking } from '../../objects/json-stream.ts';
import { KeyHintSearch } from '../../objects/key-hints.ts';
import { KeySet } from '../../objects/key-set.ts';
import { isServiceDeletionPolicy, readKeys, serviceDeletionPolicySuffix } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { RoleMap } from '../../objects/role-map.ts';
import { type RoleSelector, readRoleSelector } from '../../objects/role-selector.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import {
  longestValue,
  type MetadataBounds,
  type ProjectedMetadata,
  projectMetadata,
  type Want,
  type WantedMetadata,
} from './metadata-projection.ts';
import { ObjectTooLongError, type Projection, projectField, projection } from './projection.ts';

/**
 * What a namespace's labels, beyond those that are ours, may take in the cache: namespaces have some twenty, of 100 characters
 * at most. One with more is decided live: it costs its owner time, and nobody room.
 */
const cachedLabels: MetadataBounds = { entries: 64, characters: 4096 };
/** What one namespace may take for the time of a review. */
const labelsOfReview: MetadataBounds = { entries: 1000, characters: 65_536 };

/** A longest ARN, an audience, a number or two. More of it is wrong somewhere, which is told live. */
const cachedAnnotations: MetadataBounds = { entries: 16, characters: 4096 };
/** Never reached: there are few, each cut. */
const annotationsOfReview: MetadataBounds = { entries: 16, characters: 16_384 };

/** The labels of namespaces that decisions can ask for. */
export interface AskedLabels {
  /** Whether IAMRoleSelectors, which may ask for any, are looked at. */
  readonly every: boolean;
  /** Those that are ours, and those that known selectors ask for: they are read however many others there are. */
  readonly known: () => KeySet;
}

export const ourLabels: ReadonlySet<string> = new Set(readKeys('label', 'namespace'));

/** The labels of namespaces that are ours, or that these selectors ask for. */
export function knownLabels(selectors: readonly RoleSelector[]): KeySet {
  return new KeySet([...ourLabels, ...selectors.flatMap(({ namespaceLabels }) => [...namespaceLabels.keys()])]);
}

/** Keys that are looked at for those that nobody reads, of one object: anyone may write many of them. */
const mostLookedAt = 500;

/** The keys of one object that nobody reads but were meant to be read: they are taken alone, and warned of. */
class IgnoredKeys {
  readonly #search: KeyHintSearch;
  #lookedAt = 0;

  constructor(on: 'namespace' | 'ServiceAccount') {
    this.#search = new KeyHintSearch(on);
  }

  get isOver(): boolean {
    return this.#search.isOver || this.#lookedAt >= mostLookedAt;
  }

  want(key: string, as: 'label' | 'annotation'): Want {
    if (this.isOver) return undefined;
    this.#lookedAt += 1;
    return this.#search.look(key, as) === undefined ? undefined : 'key-alone';
  }
}

const namespaceAnnotations = readKeys('annotation', 'namespace');
const namespaceAnnotationKeys: ReadonlySet<string> = new Set(namespaceAnnotations);
const namespaceAnnotationBytes = new KeySet(namespaceAnnotations, [serviceDeletionPolicySuffix]);

/** ACK has some hundred services. Whoever writes more policies on a namespace has the rest left out, on their own resources. */
const mostServicePolicies = 128;

function wantedOfNamespace({ every, known }: AskedLabels): WantedMetadata {
  const keys = known();
  const ignored = new IgnoredKeys('namespace');
  let servicePolicies = 0;
  const wantOfAnnotation = (key: string): Want => {
    if (!isServiceDeletionPolicy(key)) {
      return namespaceAnnotationKeys.has(key) ? 'always' : ignored.want(key, 'annotation');
    }
    servicePolicies += 1;
    return servicePolicies <= mostServicePolicies ? 'word' : undefined;
  };
  const others = () => !ignored.isOver;
  return {
    labels: {
      keys,
      others: () => every || others(),
      want: key => (keys.has(key) ? 'always' : every ? 'within-bounds' : ignored.want(key, 'label')),
    },
    annotations: {
      keys: namespaceAnnotationBytes,
      others,
      want: wantOfAnnotation,
    },
  };
}

export interface CachedNamespace extends Namespace {
  /** Whether it has more labels than are cached: then a decision that asks for its labels is made live. */
  readonly isCut: boolean;
}

export function cachedNamespaces(asked: AskedLabels): Projection<CachedNamespace> {
  return projectMetadata(
    () => wantedOfNamespace(asked),
    cachedLabels,
    (metadata, { name }) => ({ name, ...metadata }),
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
    if (value !== undefined || ourLabels.has(key)) return value;
    throw new UnverifiedError(
      503,
      `namespace ${JSON.stringify(this.#namespace)} has too many labels to look at all of them`,
    );
  }
}

function namespaceOf({ labels, annotations, isCut }: ProjectedMetadata, name: string): Namespace {
  return { name, labels: isCut ? new CutLabels(labels, name) : labels, annotations };
}

/** One namespace, for the time of a review. */
export function readNamespaceLive(asked: AskedLabels, bounds = labelsOfReview): Projection<Namespace> {
  return projectMetadata(
    () => wantedOfNamespace(asked),
    bounds,
    (metadata, { name }) => namespaceOf(metadata, name),
  );
}

/** All namespaces, for the time of a review. */
export function listNamespacesLive(asked: AskedLabels): Projection<Namespace> {
  return readNamespaceLive(asked, cachedLabels);
}

const noKeys = new KeySet([]);
const serviceAccountAnnotations = new KeySet(readKeys('annotation', 'ServiceAccount'));

function wantedOfServiceAccount(): WantedMetadata {
  const ignored = new IgnoredKeys('ServiceAccount');
  const others = () => !ignored.isOver;
  return {
    labels: { keys: noKeys, others, want: key => ignored.want(key, 'label') },
    annotations: {
      keys: serviceAccountAnnotations,
      others,
      want: key => (serviceAccountAnnotations.has(key) ? 'within-bounds' : ignored.want(key, 'annotation')),
    },
  };
}

/** In the cache in place of a ServiceAccount that has too much of what is read: decided live, as if it were not there. */
export const tooLargeToCache: ServiceAccount = { labels: new Map(), annotations: new Map() };

export const cachedServiceAccounts: Projection<ServiceAccount> = projectMetadata(
  wantedOfServiceAccount,
  cachedAnnotations,
  metadata => (metadata.isCut ? tooLargeToCache : metadata),
);

/** One ServiceAccount, for the time of a review. */
export const readServiceAccountLive: Projection<ServiceAccount> = projectMetadata(
  wantedOfServiceAccount,
  annotationsOfReview,
  metadata => metadata,
);

/** https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/types.go (MaxSecretSize): keys and values of a ConfigMap. */
const mostMapCharacters = 1024 * 1024;

/** The maps: `data` of a ConfigMap. */
export const projectRoleMaps: Projection<RoleMap> = projection(() => {
  const entries = new Map<string, string>();
  let characters = 0;
  const member = (key: string): Taking => ({
    kind: 'string',
    longest: longestValue,
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
