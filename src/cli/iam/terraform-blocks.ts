import type { IamStep } from '../../aws/iam/iam-step.ts';
import type { ResourceArn } from '../../aws/iam/resource-arn.ts';
import type { Existing } from './existing.ts';
import { accountOf, splitRoleName } from './step-document.ts';

/** A value of Terraform's language, as far as it is needed; both its syntaxes are written from it. */
export type TerraformValue =
  | { readonly text: string }
  | { readonly list: readonly TerraformValue[] }
  /** An address such as `aws_iam_role.hub`, which is not quoted in HCL. */
  | { readonly address: string }
  /** `jsonencode(…)`. */
  | { readonly json: unknown };

export interface TerraformBlock {
  readonly block: 'resource' | 'data' | 'import';
  readonly labels: readonly string[];
  readonly attributes: readonly (readonly [name: string, value: TerraformValue])[];
}

export interface TerraformFile {
  /** Aliases of the providers that the blocks name, with their accounts. */
  readonly aliases: ReadonlyMap<string, string | undefined>;
  readonly blocks: readonly TerraformBlock[];
}

/** https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers */
function identifierOf(text: string): string {
  return text.replaceAll(/\W/g, '_').toLowerCase();
}

/** The name of each thing within its type: names that differ stay different. */
class Names {
  readonly #taken = new Set<string>();
  readonly #names = new Map<string, string>();

  of(type: string, key: string, wanted: string): string {
    const place = `${type} ${key}`;
    const known = this.#names.get(place);
    if (known !== undefined) return known;
    let name = wanted;
    for (let n = 2; this.#taken.has(`${type}.${name}`); n++) name = `${wanted}_${n}`;
    this.#taken.add(`${type}.${name}`);
    this.#names.set(place, name);
    return name;
  }
}

const text = (value: string): TerraformValue => ({ text: value });
const json = (value: unknown): TerraformValue => ({ json: value });
const address = (value: string): TerraformValue => ({ address: value });

class TerraformWriter {
  readonly aliases = new Map<string, string | undefined>();
  readonly blocks: TerraformBlock[] = [];
  readonly #names = new Names();
  readonly #existing: Existing;
  /** Of the roles that are created here. */
  readonly #addresses = new Map<string, string>();

  constructor(existing: Existing) {
    this.#existing = existing;
  }

  #provider(step: IamStep): readonly [string, TerraformValue] {
    const account = accountOf(step);
    const alias = account === undefined ? 'bucket_account' : `account_${account}`;
    this.aliases.set(alias, account);
    return ['provider', address(`aws.${alias}`)];
  }

  #resource(type: string, name: string, attributes: TerraformBlock['attributes']): void {
    this.blocks.push({ block: 'resource', labels: [type, name], attributes });
  }

  /** That roles are there before a policy names them: IAM looks. */
  #dependsOn(roleArns: readonly string[]): TerraformBlock['attributes'] {
    const addresses = roleArns.flatMap(arn => this.#addresses.get(arn) ?? []);
    return addresses.length === 0 ? [] : [['depends_on', { list: addresses.map(address) }]];
  }

  #roleNamed(name: string, roleArn: string): TerraformValue {
    const role = this.#addresses.get(roleArn);
    return role === undefined ? text(name) : address(`${role}.name`);
  }

  add(step: IamStep): void {
    switch (step.kind) {
      case 'oidc-provider': {
        if (this.#existing.has('oidc-providers')) return;
        const type = 'aws_iam_openid_connect_provider';
        const key = `${step.accountId} ${step.url}`;
        const name = this.#names.of(type, key, `account_${step.accountId}_${identifierOf(step.url.slice(8))}`);
        const ids = { list: step.clientIds.map(text) };
        this.#resource(type, name, [this.#provider(step), ['url', text(step.url)], ['client_id_list', ids]]);
        break;
      }
      case 'role': {
        const type = 'aws_iam_role';
        const { path, name } = splitRoleName(step.role.name);
        const wanted = `account_${step.role.accountId}_${identifierOf(name)}`;
        const label = this.#names.of(type, step.role.text, wanted);
        this.#addresses.set(step.role.text, `${type}.${label}`);
        if (this.#existing.has('roles')) {
          const attributes = [this.#provider(step), ['to', address(`${type}.${label}`)], ['id', text(name)]] as const;
          this.blocks.push({ block: 'import', labels: [], attributes });
        }
        this.#resource(type, label, [
          this.#provider(step),
          ['name', text(name)],
          ['path', text(path)],
          ['assume_role_policy', json(step.trust)],
          ...this.#dependsOn(step.trusts.map(role => role.text)),
        ]);
        break;
      }
      case 'role-policy': {
        const type = 'aws_iam_role_policy';
        const { name } = splitRoleName(step.role.name);
        const wanted = `account_${step.role.accountId}_${identifierOf(name)}_${identifierOf(step.name)}`;
        const label = this.#names.of(type, `${step.role.text} ${step.name}`, wanted);
        const role = this.#roleNamed(name, step.role.text);
        this.#resource(type, label, [
          this.#provider(step),
          ['name', text(step.name)],
          ['role', role],
          ['policy', json(step.policy)],
        ]);
        break;
      }
      case 'resource-policy':
        this.#addResourcePolicy(step);
        break;
    }
  }

  #addResourcePolicy(step: Extract<IamStep, { readonly kind: 'resource-policy' }>): void {
    const { resource, policy, trusts } = step;
    const wanted = identifierOf(`${resource.service}_${resource.name}`);
    const label = /^[a-z]/.test(wanted) ? wanted : `r_${wanted}`;
    const provider = this.#provider(step);
    if (resource.service === 'sqs') {
      const attributes = [provider, ['name', text(resource.name)]] as const;
      this.blocks.push({ block: 'data', labels: ['aws_sqs_queue', label], attributes });
    }
    const { type, which } = terraformResource(resource, label);
    const dependsOn = this.#dependsOn(trusts.map(role => role.text));
    this.#resource(type, label, [provider, which, ['policy', json(policy)], ...dependsOn]);
  }
}

/** https://registry.terraform.io/providers/hashicorp/aws/latest/docs */
function terraformResource(
  { service, text: arn, name }: ResourceArn,
  label: string,
): { readonly type: string; readonly which: readonly [string, TerraformValue] } {
  switch (service) {
    case 's3':
      return { type: 'aws_s3_bucket_policy', which: ['bucket', text(name)] };
    case 'ecr':
      return { type: 'aws_ecr_repository_policy', which: ['repository', text(name)] };
    case 'kms':
      return { type: 'aws_kms_key_policy', which: ['key_id', text(arn)] };
    case 'sqs':
      return { type: 'aws_sqs_queue_policy', which: ['queue_url', address(`data.aws_sqs_queue.${label}.url`)] };
    case 'sns':
      return { type: 'aws_sns_topic_policy', which: ['arn', text(arn)] };
    case 'secretsmanager':
      return { type: 'aws_secretsmanager_secret_policy', which: ['secret_arn', text(arn)] };
  }
}

/** The steps as blocks of Terraform's language. */
export function terraformOf(steps: readonly IamStep[], existing: Existing): TerraformFile {
  const writer = new TerraformWriter(existing);
  for (const step of steps) writer.add(step);
  return writer;
}

/** What stands at the head of a file: which providers whoever uses it must configure. */
export function providerNote({ aliases }: TerraformFile): readonly string[] {
  return [
    'Needs one configured provider for each account, which credentials of that account belong to:',
    ...[...aliases].map(([alias, account]) => {
      const only = account === undefined ? '' : `, allowed_account_ids = ["${account}"]`;
      return `aws.${alias}: alias = "${alias}"${only}`;
    }),
  ];
}
