/** What is taken of an object's metadata: few strings each, and one shared object for all that have nothing for us. */

import type { TakenObject, Taking } from '../../objects/json-stream.ts';
import type { KeySet } from '../../objects/key-set.ts';
import { type Identity, type Projection, projection } from './projection.ts';

/** Labels and annotations that were read. */
export interface ProjectedMetadata {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Whether a label or annotation that is wanted was left out, for there were too many or they were too long. */
  readonly isCut: boolean;
}

/**
 * `always`: read whatever else there is. `word`: the same of a short value, cut where it is longer. `within-bounds`: left out when the object has too much of its kind. `key-alone`:
 * taken with an empty value.
 */
export type Want = 'always' | 'word' | 'within-bounds' | 'key-alone' | undefined;

/** Which labels, or annotations, of an object are read. */
export interface WantedStrings {
  /** Keys that are known before. */
  readonly keys: KeySet;
  /** Whether others may be wanted, as long as the object is within its bounds. */
  readonly others?: () => boolean;
  want(key: string): Want;
}

export interface WantedMetadata {
  readonly labels?: WantedStrings;
  readonly annotations?: WantedStrings;
}

/** What an object may bring that is wanted `within-bounds`. */
export interface MetadataBounds {
  readonly entries: number;
  /** Of keys and values. */
  readonly characters: number;
}

/** One more than the longest value that means something, an ARN: what is cut is wrong anyway, and stays so. */
export const longestValue = 2049;

/** The longest `word`: one more than is asked for. */
const longestWord = 16;

const none: ReadonlyMap<string, string> = new Map();
const nothing: ProjectedMetadata = Object.freeze({ labels: none, annotations: none, isCut: false });

/**
 * Makes a projection that takes the labels and annotations whose keys are wanted. A cluster may have 50,000 ServiceAccounts of
 * which a hundred carry an annotation of ours: the others cost their key and a pointer.
 * @param begin asked in front of each object.
 */
export function projectMetadata<T>(
  begin: () => WantedMetadata,
  bounds: MetadataBounds,
  build: (metadata: ProjectedMetadata, identity: Identity) => T,
): Projection<T> {
  return projection(() => {
    const wanted = begin();
    let labels: Map<string, string> | undefined;
    let annotations: Map<string, string> | undefined;
    let isCut = false;
    let entries = 0;
    let characters = 0;
    const stringsInto = (strings: WantedStrings, map: () => Map<string, string>): TakenObject => ({
      kind: 'object',
      mayWant: (bytes, start, end) =>
        (!isCut && strings.others?.() === true) || strings.keys.mayHave(bytes, start, end),
      member: (key): Taking => {
        const wants = strings.want(key);
        if (wants === undefined) return undefined;
        if (wants === 'key-alone') {
          map().set(key, '');
          return undefined;
        }
        if (wants === 'within-bounds' && (isCut || entries === bounds.entries)) {
          isCut = true;
          return undefined;
        }
        return {
          kind: 'string',
          longest: wants === 'word' ? longestWord : longestValue,
          take: value => {
            if (value === undefined) return;
            if (wants === 'within-bounds') {
              entries += 1;
              characters += key.length + value.length;
              isCut = characters > bounds.characters;
            }
            if (wants !== 'within-bounds' || !isCut) map().set(key, value);
          },
        };
      },
    });
    const intoLabels = () => (labels ??= new Map());
    const intoAnnotations = () => (annotations ??= new Map());
    return {
      metadata: key => {
        if (key === 'labels') return wanted.labels && stringsInto(wanted.labels, intoLabels);
        if (key === 'annotations') return wanted.annotations && stringsInto(wanted.annotations, intoAnnotations);
        return undefined;
      },
      value: identity => {
        const isEmpty = labels === undefined && annotations === undefined && !isCut;
        const metadata = isEmpty ? nothing : { labels: labels ?? none, annotations: annotations ?? none, isCut };
        return build(metadata, identity);
      },
    };
  });
}
