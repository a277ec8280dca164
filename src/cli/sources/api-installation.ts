import type { ApiPool } from '../../cluster/api/api-connection.ts';
import { accept, apiPaths } from '../../cluster/api/api-requests.ts';
import { isClusterOfPod, type KubeConfigSource, loadKubeConfig } from '../../cluster/api/kube-config.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { quote } from '../../objects/quote.ts';
import { ApiReads, readLimitMs, whole } from './api-reads.ts';
import type { AskedRight, ConfigurationKind, InstallationSource } from './installation-source.ts';
import { UnreadError } from './unread-error.ts';

/** Webhook configurations that are taken of a kind, and pods of one Service. */
const mostConfigurations = 1000;
const mostReviewBytes = 256 * 1024;

/** The installation of the webhook by reads of the API server. */
export class ApiInstallation implements InstallationSource {
  readonly #source: KubeConfigSource;
  readonly #pool: ApiPool;
  readonly #reads: ApiReads;

  constructor(pool: ApiPool, source: KubeConfigSource) {
    this.#source = source;
    this.#pool = pool;
    this.#reads = new ApiReads(pool);
  }

  get isOfThisPod(): boolean {
    return isClusterOfPod(loadKubeConfig(this.#source), process.env['KUBERNETES_SERVICE_HOST']);
  }

  /** The first objects of a list. */
  async #first(resource: string, path: string): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    const add = (object: JsonObject): void => {
      if (found.length < mostConfigurations) found.push(object);
    };
    await this.#reads.list(resource, path, whole, add, accept.whole.list);
    return found;
  }

  configurations(kind: ConfigurationKind): Promise<readonly JsonObject[]> {
    const resource = `${kind.toLowerCase()}s`;
    return this.#first(resource, apiPaths.resources('admissionregistration.k8s.io', 'v1', resource));
  }

  service(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `Service ${quote(`${namespace}/${name}`)}`, right: 'get services' };
    return this.#reads.get(apiPaths.service(namespace, name), what);
  }

  podsOf(namespace: string, selector: string): Promise<readonly JsonObject[]> {
    return this.#first('pods', apiPaths.podsOf(namespace, selector));
  }

  secret(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `Secret ${quote(`${namespace}/${name}`)}`, right: 'get secrets' };
    return this.#reads.get(apiPaths.secret(namespace, name), what);
  }

  async isAllowed({ namespace, name }: { namespace: string; name: string }, right: AskedRight): Promise<boolean> {
    // https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens
    const spec = {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: right,
    };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const options = { signal: AbortSignal.timeout(readLimitMs), maxBytes: mostReviewBytes };
    try {
      const { status } = await this.#pool.postJson(apiPaths.subjectAccessReviews, body, options);
      return isJsonObject(status) && status['allowed'] === true;
    } catch (error) {
      throw new UnreadError({ named: 'the rights of the webhook', right: 'create subjectaccessreviews' }, error);
    }
  }

  async ackGroups(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#reads.ackKinds()).map(({ group, resource }) => [group, resource]));
  }
}
