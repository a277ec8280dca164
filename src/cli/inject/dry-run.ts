import { type Admit, createAdmit, type Endpoint, type ReviewResult } from '../../admission/admit.ts';
import type { Config } from '../../admission/config.ts';
import { describeMalformed } from '../../admission/failure.ts';
import type { GroupVersionResource } from '../../admission/review.ts';
import { matchOfKind } from '../../admission/rules.ts';
import { plainKind } from '../../admission/subject.ts';
import { groupOf, type Manifest, ManifestError } from '../../cluster/state/manifests.ts';
import { Snapshot } from '../../cluster/state/snapshot.ts';
import { quoteField } from '../../objects/field-path.ts';
import { type JsonObject, MalformedObjectError, optionalObject, optionalString } from '../../objects/json.ts';
import type { Addition } from '../../objects/json-patch.ts';
import { injectLabel } from '../../objects/keys.ts';
import { isKubernetesGroup } from '../../objects/kubernetes-groups.ts';
import { findPodTemplates, type NestedTemplates, nestedLimits } from '../../objects/nested-pod-templates.ts';
import { templateOf, withClaims } from '../../objects/pod-template.ts';
import { quote } from '../../objects/quote.ts';
import {
  namespaceResource,
  podResource,
  type ReviewSubject,
  resourceOf,
  reviewOf,
} from '../predict/synthetic-review.ts';
import { withAdditions } from '../predict/with-additions.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { envFromNote } from './env-from-note.ts';
import { InputCluster } from './input-cluster.ts';

/** What would become of one object. */
export interface DryRunResult {
  readonly manifest: Manifest;
  readonly name: string;
  readonly namespace: string;
  /** JSON Pointers within the object; a workload's lie within its pod template. */
  readonly additions: readonly Addition[];
  readonly denied: boolean;
  /** Whether the additions are those of a workload's pods, which the API server would not show in it. */
  readonly preview: boolean;
  /** Denials and warnings, a line each, with the place of the object. */
  readonly lines: readonly string[];
}

function patchOf({ response }: ReviewResult): readonly Addition[] {
  if (response.patch === undefined) return [];
  return JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8'));
}

/** What an answer tells whoever applies the object. @throws {ManifestError} for a field of a wrong type. */
function linesOf({ response, record }: ReviewResult, place: string, of: string): readonly string[] {
  const { outcome, reason, message, advisory } = record;
  if (reason === 'InvalidReview') throw new ManifestError(`${place}: ${response.status?.message}`);
  if (reason === 'InternalError') throw record.error;
  const warnings = (response.warnings ?? []).filter(warning => advisory || warning !== message);
  const lines = warnings.map(warning => `${place}: warning: ${of}${warning}`);
  if (response.status !== undefined) lines.unshift(`${place}: denied: ${of}${response.status.message}`);
  else if (outcome === 'warned' && !advisory)
    lines.unshift(`${place}: allowed without changes (mode warn): ${of}${message}`);
  else if (outcome === 'audited') lines.unshift(`${place}: allowed without changes (mode audit): ${of}${message}`);
  return lines;
}

/** What seems to make pods, and was not judged: a line at most for each cause. */
function notJudged(manifest: Manifest, name: string, { unknownShape, cutBy }: NestedTemplates): readonly string[] {
  const { place } = manifest;
  const subject = `${plainKind(manifest)} ${quote(name)}`;
  const lines: string[] = [];
  if (unknownShape !== undefined) {
    const at = unknownShape === '' ? '' : `, at ${quoteField(unknownShape)}`;
    lines.push(`${place}: not judged: ${subject} seems to create pods without a pod template${at}`);
  }
  if (cutBy !== undefined) {
    lines.push(`${place}: not judged: the rest of ${subject}: it has more than ${nestedLimits[cutBy]} ${cutBy}`);
  }
  return lines;
}

/** Predicts what the webhook would make of manifests that are applied together. */
export class DryRun {
  readonly #admit: Admit;
  readonly #cluster: InputCluster;
  readonly #input: Snapshot;
  readonly #defaultNamespace: string;
  /** Namespaces whose pods the webhook does not see, which is said once. */
  readonly #unseen = new Set<string>();

  /** @param defaultNamespace of objects that name none. */
  constructor(source: ObjectSource, config: Config, defaultNamespace: string) {
    this.#input = new Snapshot({ roleSelectors: config.featureGates.IAMRoleSelector });
    this.#cluster = new InputCluster(this.#input, source);
    this.#admit = createAdmit(this.#cluster, config);
    this.#defaultNamespace = defaultNamespace;
  }

  /**
   * In the order of the manifests; Namespaces, ServiceAccounts and maps count before all else.
   * @throws {ManifestError | ClusterUnreachableError}
   */
  async run(manifests: readonly Manifest[]): Promise<readonly DryRunResult[]> {
    for (const manifest of manifests) this.#input.add(manifest, this.#defaultNamespace);
    const results = new Map<Manifest, DryRunResult>();
    const isNamespace = ({ kind, apiVersion }: Manifest) => kind === 'Namespace' && groupOf(apiVersion) === '';
    for (const manifest of manifests.filter(isNamespace)) results.set(manifest, await this.#namespace(manifest));
    for (const manifest of manifests) {
      if (!results.has(manifest)) results.set(manifest, await this.#object(manifest));
    }
    return manifests.flatMap(manifest => results.get(manifest) ?? []);
  }

  async #ask(endpoint: Endpoint, subject: ReviewSubject): Promise<ReviewResult> {
    const result = await this.#admit(endpoint, reviewOf(subject), Number.POSITIVE_INFINITY);
    this.#cluster.throwIfUnread();
    return result;
  }

  #untouched(manifest: Manifest): DryRunResult {
    try {
      const metadata = optionalObject(manifest.object, 'metadata', '') ?? {};
      const generated = optionalString(metadata, 'generateName', '/metadata');
      const name = optionalString(metadata, 'name', '/metadata') || (generated ? `${generated}*` : '');
      const namespace = optionalString(metadata, 'namespace', '/metadata') || this.#defaultNamespace;
      return { manifest, name, namespace, additions: [], denied: false, preview: false, lines: [] };
    } catch (cause) {
      if (!(cause instanceof MalformedObjectError)) throw cause;
      throw new ManifestError(`${manifest.place}: ${describeMalformed(cause)}`, { cause });
    }
  }

  /** Namespaces are labelled before their pods are judged, as they are when they are created. */
  async #namespace(manifest: Manifest): Promise<DryRunResult> {
    const untouched = { ...this.#untouched(manifest), namespace: '' };
    const { object, kind, place } = manifest;
    const { name } = untouched;
    const judged = await this.#judge({ resource: namespaceResource, kind, name, namespace: name, object }, place);
    this.#input.add({ ...manifest, object: withAdditions(object, judged.additions) as JsonObject });
    return { ...untouched, ...judged };
  }

  async #object(manifest: Manifest): Promise<DryRunResult> {
    const { kind, apiVersion, object } = manifest;
    const group = groupOf(apiVersion);
    const match = matchOfKind(group, kind);
    if (match === undefined) return isKubernetesGroup(group) ? this.#untouched(manifest) : this.#unknownKind(manifest);
    if (match.template === undefined) {
      const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
      const guessed = resourceOf(group, version, kind);
      const resource = match.resource === '*' ? guessed : { ...guessed, resource: match.resource };
      return this.#judgeManifest(manifest, resource, object);
    }
    try {
      const at = match.template.map(key => `/${key}`).join('');
      const template = templateOf(object, match.template);
      if (template === undefined) return this.#untouched(manifest);
      // Claims become volumes of the pods; what is added is added to the template as it was written.
      const filled = withClaims(template, object, kind);
      const judged = await this.#judgeManifest(manifest, podResource, filled, at);
      if (judged.denied || filled === template) return judged;
      return await this.#judgeManifest(manifest, podResource, template, at);
    } catch (cause) {
      if (!(cause instanceof MalformedObjectError)) throw cause;
      throw new ManifestError(`${manifest.place}: ${describeMalformed(cause)}`, { cause });
    }
  }

  /**
   * An object of a kind that we do not know, such as a Rollout: its pod templates are judged like those of a Deployment,
   * and what we cannot judge is said.
   */
  async #unknownKind(manifest: Manifest): Promise<DryRunResult> {
    const found = findPodTemplates(manifest.object);
    const result = this.#untouched(manifest);
    const judged: DryRunResult[] = [];
    const lines: string[] = [];
    for (const { path, template } of found.templates) {
      try {
        const of = `pods (${quoteField(path)}) of `;
        judged.push(await this.#judgeManifest(manifest, podResource, template, path, of));
      } catch (error) {
        // Its controller may fill it in, or mean something else by it.
        if (!(error instanceof ManifestError)) throw error;
        const wrong = error.message.slice(manifest.place.length + 2);
        lines.push(`${manifest.place}: not judged: pod template at ${quoteField(path)}: ${wrong}`);
      }
    }
    lines.unshift(...judged.flatMap(each => each.lines), ...notJudged(manifest, result.name, found));
    return {
      ...result,
      additions: judged.flatMap(({ additions }) => additions),
      denied: judged.some(({ denied }) => denied),
      preview: judged.some(({ preview }) => preview),
      lines: [...new Set(lines)],
    };
  }

  /**
   * @param at where in the manifest the object is, as a JSON Pointer: the pod template of a workload.
   * @param of in front of the object's name.
   */
  async #judgeManifest(
    manifest: Manifest,
    resource: GroupVersionResource,
    object: JsonObject,
    at = '',
    of = at === '' ? '' : 'pods of ',
  ): Promise<DryRunResult> {
    const untouched = this.#untouched(manifest);
    const { name, namespace } = untouched;
    // Messages name the object that a person wrote.
    const subject = { resource, kind: manifest.kind, name, namespace, object };
    const judged = await this.#judge(subject, manifest.place, of);
    const isPod = resource.group === podResource.group && resource.resource === podResource.resource;
    const notes = isPod && !judged.denied ? await this.#notes(object, namespace, judged.additions) : [];
    return {
      ...untouched,
      ...judged,
      lines: [...judged.lines, ...notes.map(note => `${manifest.place}: note: ${note}`)],
      additions: judged.additions.map(addition => ({ ...addition, path: at + addition.path })),
      preview: at.length > 0 && judged.additions.length > 0,
    };
  }

  /** What the pods would not tell: of `envFrom`, and that without the label the API server does not ask about them. */
  async #notes(pod: JsonObject, namespace: string, additions: readonly Addition[]): Promise<readonly string[]> {
    if (additions.length === 0) return [];
    const notes: string[] = [];
    const ofEnvFrom = envFromNote(pod, additions);
    if (ofEnvFrom !== undefined) notes.push(ofEnvFrom);
    const found = await this.#cluster.read({ kind: 'Namespace', name: namespace });
    if (found?.labels.get(injectLabel) !== 'enabled' && !this.#unseen.has(namespace)) {
      this.#unseen.add(namespace);
      const label = `${injectLabel}=enabled`;
      notes.push(`namespace ${quote(namespace)} is not labelled ${label}; until it is, its pods get nothing of this`);
    }
    return notes;
  }

  /** What `/mutate` makes of an object is judged by `/validate`, as the API server does. */
  async #judge(
    subject: ReviewSubject,
    place: string,
    of = '',
  ): Promise<Pick<DryRunResult, 'additions' | 'denied' | 'lines'>> {
    const mutated = await this.#ask('mutate', subject);
    const additions = patchOf(mutated);
    const answers = [mutated];
    if (mutated.response.allowed) {
      const final = { ...subject, object: withAdditions(subject.object, additions) };
      answers.push(await this.#ask('validate', final));
      // Warnings of keys that are ignored, which are of no use beside a denial.
      if (answers.every(({ response }) => response.allowed)) answers.push(await this.#ask('keys', final));
    }
    return {
      additions,
      denied: answers.some(({ response }) => !response.allowed),
      lines: [...new Set(answers.flatMap(answer => linesOf(answer, place, of)))],
    };
  }
}
