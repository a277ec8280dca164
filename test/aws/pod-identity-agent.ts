import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { readWebIdentityClaims, type ServiceAccountClaims } from '../e2e-node/web-identity-token.ts';
import { closeServer, listenAt } from './link-local-server.ts';
import type { Aws } from './start-aws.ts';

/* https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html */
const address = '169.254.170.23';
const audience = 'pods.eks.amazonaws.com';
const mountPath = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
const tokenFile = 'eks-pod-identity-token';
const sessionName = 'eks-cluster-app-0123';
const anHourMs = 3_600_000;
const volume = 'eks-pod-identity-token';

/** What EKS puts into a pod whose ServiceAccount has an association: before our webhook, as it is named in a spec of our own. */
export const podIdentityVariables = [
  { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: `http://${address}/v1/credentials` },
  { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: `${mountPath}/${tokenFile}` },
] as const;
export const podIdentityMount = { name: volume, mountPath, readOnly: true } as const;
export const podIdentityVolume = {
  name: volume,
  projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds: 86_400, path: tokenFile } }] },
} as const;

/** The agent of EKS Pod Identity: gives the role of the association to each pod that shows a token for it. */
export class PodIdentityAgent {
  /** How long the next credentials are good; an hour if nothing else is said. */
  lifetimeMs: number | undefined;
  readonly #aws: Aws;
  readonly #roleArn: string;
  /** The tokens that were shown, by their id. */
  #tokens: (string | undefined)[] = [];
  #server: Server | undefined;

  private constructor(aws: Aws, roleArn: string) {
    this.#aws = aws;
    this.#roleArn = roleArn;
  }

  static async start(aws: Aws, roleArn: string): Promise<PodIdentityAgent> {
    const agent = new PodIdentityAgent(aws, roleArn);
    agent.#server = await listenAt(address, (request, response) => {
      agent.#answer(request, response).catch(() => response.destroy());
    });
    return agent;
  }

  /** The ids of the tokens that were shown since the last call. */
  take(): readonly (string | undefined)[] {
    const tokens = this.#tokens;
    this.#tokens = [];
    return tokens;
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined) await closeServer(this.#server);
  }

  async #answer({ url, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const claims = claimsOf(headers.authorization ?? '');
    this.#tokens.push(claims.jti);
    if (url !== '/v1/credentials' || claims.aud?.includes(audience) !== true) {
      response.writeHead(400).end('the token is not for this agent');
      return;
    }
    const keys = await this.#aws.serviceSession(this.#roleArn, sessionName, this.lifetimeMs ?? anHourMs);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...keys, AccountId: this.#roleArn.split(':')[4] }));
  }
}

function claimsOf(token: string): Partial<ServiceAccountClaims> {
  try {
    return readWebIdentityClaims(token.trim());
  } catch {
    return {};
  }
}
