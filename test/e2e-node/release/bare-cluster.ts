import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CertManager } from '../../testbed/cert-manager.ts';
import { ControlPlane } from '../../testbed/control-plane.ts';
import { nodeAddress } from '../../testbed/node/node-settings.ts';
import { TestNode } from '../../testbed/node/test-node.ts';
import { stsAliases } from '../client-pods.ts';
import { builtImage, clientArchiveNamed, nodeImages } from '../images.ts';
import { makeStsCertificate } from '../sts-certificate.ts';
import { StsStandIn } from '../sts-stand-in.ts';

/** `--service-account-issuer` of the plane. */
const issuer = 'https://kubernetes.default.svc';

/** What the README runs. The node has a client of STS under this name, and cannot pull the real one. */
export const podImage = 'nginx:stable';

/** A cluster of one real node that nothing is installed on, and an STS that its pods can ask. Its node has our image. */
export class BareCluster {
  readonly plane: ControlPlane;
  readonly sts: StsStandIn;
  readonly #ending: readonly (() => Promise<void>)[];
  #certManager: CertManager | undefined;

  private constructor(plane: ControlPlane, sts: StsStandIn, ending: readonly (() => Promise<void>)[]) {
    this.plane = plane;
    this.sts = sts;
    this.#ending = ending;
  }

  static async start(): Promise<BareCluster> {
    const certificate = await makeStsCertificate();
    const client = await clientArchiveNamed(podImage, certificate.caPem, stsAliases);
    const images = [...(await nodeImages()), builtImage().archive, client];
    const plane = await ControlPlane.start({ node: true });
    const ending: (() => Promise<void>)[] = [() => plane.stop()];
    try {
      const node = await TestNode.start(plane, images);
      ending.unshift(() => node.stop());
      const sts = await StsStandIn.start({
        address: nodeAddress,
        port: 443,
        issuerPublicKeyPem: readFileSync(plane.serviceAccountPublicKeyFile, 'utf8'),
        issuer,
        certificate,
      });
      ending.unshift(() => sts.stop());
      return new BareCluster(plane, sts, ending);
    } catch (error) {
      for (const end of ending) await end();
      throw error;
    }
  }

  /** cert-manager's programs run beside the cluster, not in it. */
  async startCertManager(): Promise<void> {
    this.#certManager ??= await CertManager.start(this.plane);
  }

  /** An object that must be there. */
  async get<Body>(path: string): Promise<Body> {
    const { status, body } = await this.plane.request<Body>('GET', path);
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** `KIND NAMESPACE/NAME` of all that can be listed, but for events and Leases, and what is in some namespaces. */
  async objects(besidesNamespaces: readonly string[]): Promise<ReadonlySet<string>> {
    const { stdout } = await this.plane.kubectl([
      'api-resources',
      '--verbs=list,create',
      '--output=name',
      '--no-headers',
    ]);
    const kinds = stdout.split('\n').filter(kind => kind !== '' && !/^(events|leases)(\.|$)/.test(kind));
    const line = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
    const found = await this.plane.kubectl(['get', kinds.join(','), '--all-namespaces', `--output=jsonpath=${line}`]);
    const names = found.stdout.split('\n').filter(name => name !== '');
    return new Set(
      names.filter(
        name => !besidesNamespaces.some(each => name.includes(` ${each}/`) || name === `Namespace /${each}`),
      ),
    );
  }

  async stop(): Promise<void> {
    await this.#certManager?.stop();
    for (const end of this.#ending) await end();
  }
}
