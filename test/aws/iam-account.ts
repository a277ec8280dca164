/** An error to be thrown when a call of IAM fails; the code is AWS's own. */
export class IamCallFailed extends Error {
  override readonly name = 'IamCallFailed';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type PolicyDocument = object | string;

export interface NewRole {
  readonly name: string;
  /** `/` if nothing else is said. */
  readonly path?: string;
  readonly trust: PolicyDocument;
  /** One inline policy. */
  readonly policy?: PolicyDocument;
}

const callLimitMs = 10_000;
const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

/** The texts of all elements of this name. */
export function elementTexts(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) =>
    text.replace(/&(?:lt|gt|quot|#39|amp);/g, entity => entities[entity] ?? entity),
  );
}

/** The text of the first of them. */
export function elementText(xml: string, name: string): string | undefined {
  return elementTexts(xml, name)[0];
}

const asText = (document: PolicyDocument): string =>
  typeof document === 'string' ? document : JSON.stringify(document);

/** Makes what an AWS account has in IAM, as the root user of that account. */
export class IamAccount {
  readonly id: string;
  readonly #endpoint: string;

  constructor(endpoint: string, id: string) {
    this.#endpoint = endpoint;
    this.id = id;
  }

  /** One action of IAM by its own names: the answer's XML. @throws {IamCallFailed} */
  async call(action: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      // ministack takes twelve digits for the root of that account, and does not look at its signature.
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${this.id}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }),
      signal: AbortSignal.timeout(callLimitMs),
    });
    const xml = await response.text();
    if (response.ok) return xml;
    throw new IamCallFailed(
      elementText(xml, 'Code') ?? String(response.status),
      `${action}: ${elementText(xml, 'Message') ?? xml}`,
    );
  }

  /** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html */
  async createOidcProvider(issuer: string, clientIds: readonly string[] = ['sts.amazonaws.com']): Promise<void> {
    const members = clientIds.map((id, index) => [`ClientIDList.member.${index + 1}`, id] as const);
    await this.call('CreateOpenIDConnectProvider', { Url: issuer, ...Object.fromEntries(members) });
  }

  async deleteOidcProvider(issuer: string): Promise<void> {
    await this.call('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn: this.providerArn(issuer) });
  }

  providerArn(issuer: string): string {
    return `arn:aws:iam::${this.id}:oidc-provider/${issuer.replace(/^https:\/\//, '')}`;
  }

  roleArn(name: string, path = '/'): string {
    return `arn:aws:iam::${this.id}:role${path}${name}`;
  }

  /** @returns its ARN. */
  async createRole({ name, path = '/', trust, policy }: NewRole): Promise<string> {
    await this.call('CreateRole', { RoleName: name, Path: path, AssumeRolePolicyDocument: asText(trust) });
    if (policy !== undefined) await this.putRolePolicy(name, policy);
    return this.roleArn(name, path);
  }

  /** Replaces the role's inline policy of that name. */
  async putRolePolicy(role: string, policy: PolicyDocument, name = 'inline'): Promise<void> {
    await this.call('PutRolePolicy', { RoleName: role, PolicyName: name, PolicyDocument: asText(policy) });
  }

  async setTrust(role: string, trust: PolicyDocument): Promise<void> {
    await this.call('UpdateAssumeRolePolicy', { RoleName: role, PolicyDocument: asText(trust) });
  }
}

/** Trusts tokens of an issuer that is registered in the account. https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html */
export function webIdentityTrust(account: IamAccount, issuer: string, subjects: readonly string[]): object {
  const host = issuer.replace(/^https:\/\//, '');
  return policy({
    Effect: 'Allow',
    Principal: { Federated: account.providerArn(issuer) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${host}:aud`]: 'sts.amazonaws.com', [`${host}:sub`]: [...subjects] } },
  });
}

/** Trusts a role, and demands an external id if one is given. */
export function roleTrust(roleArn: string, externalId?: string): object {
  return policy({
    Effect: 'Allow',
    Principal: { AWS: roleArn },
    Action: 'sts:AssumeRole',
    ...(externalId === undefined ? {} : { Condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
  });
}

/** Trusts a service of AWS. */
export function serviceTrust(service: string): object {
  return policy({ Effect: 'Allow', Principal: { Service: service }, Action: ['sts:AssumeRole', 'sts:TagSession'] });
}

/** Lets a role take exactly these roles. */
export function assumePolicy(roleArns: readonly string[]): object {
  return policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: [...roleArns] });
}

function policy(statement: object): object {
  return { Version: '2012-10-17', Statement: [statement] };
}
