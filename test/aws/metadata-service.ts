import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { closeServer, listenAt } from './link-local-server.ts';
import type { Aws } from './start-aws.ts';

/** Where every SDK looks for the node that it runs on. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
const address = '169.254.169.254';
const anHourMs = 3_600_000;
const credentialsPath = '/latest/meta-data/iam/security-credentials/';

/** The metadata service of a node: hands out the node's role to whoever asks, and remembers the paths that were asked for. */
export class MetadataService {
  readonly #aws: Aws;
  readonly #roleArn: string;
  #paths: string[] = [];
  #server: Server | undefined;

  private constructor(aws: Aws, roleArn: string) {
    this.#aws = aws;
    this.#roleArn = roleArn;
  }

  static async start(aws: Aws, roleArn: string): Promise<MetadataService> {
    const service = new MetadataService(aws, roleArn);
    service.#server = await listenAt(address, (request, response) => {
      service.#answer(request, response).catch(() => response.destroy());
    });
    return service;
  }

  /** What was asked for since the last call. */
  take(): readonly string[] {
    const paths = this.#paths;
    this.#paths = [];
    return paths;
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined) await closeServer(this.#server);
  }

  async #answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#paths.push(url);
    const roleName = this.#roleArn.slice(this.#roleArn.lastIndexOf('/') + 1);
    if (url === '/latest/api/token') {
      response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', '21600');
      response.end('token-of-the-metadata-service');
    } else if (url.startsWith(credentialsPath) && url.endsWith(roleName)) {
      const keys = await this.#aws.serviceSession(this.#roleArn, 'i-0123456789abcdef0', anHourMs);
      const all = { Code: 'Success', Type: 'AWS-HMAC', LastUpdated: new Date().toISOString(), ...keys };
      response.end(JSON.stringify(all));
    } else if (url === credentialsPath || url === credentialsPath.slice(0, -1)) {
      response.end(roleName);
    } else if (url === '/latest/meta-data/placement/availability-zone/') {
      response.end('eu-central-1a');
    } else if (url === '/latest/dynamic/instance-identity/document') {
      response.end(JSON.stringify({ region: 'eu-central-1' }));
    } else {
      response.writeHead(404).end();
    }
  }
}
