import type { IamStep } from '../../aws/iam/iam-step.ts';
import type { ResourceArn } from '../../aws/iam/resource-arn.ts';
import type { Existing } from './existing.ts';
import { accountOf, splitRoleName } from './step-document.ts';

/** One word of a POSIX shell: within single quotes nothing but a single quote means anything. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `=` between flag and value: a name may begin with a dash. */
function flag(name: string, value: string): string {
  return `--${name}=${shellWord(value)}`;
}

const jsonOf = (value: unknown): string => JSON.stringify(value, undefined, 2);

/** https://docs.aws.amazon.com/cli/latest/reference/ */
function putResourcePolicy(resource: ResourceArn, policy: unknown): readonly string[] {
  const { service, text, region, accountId = '', name } = resource;
  const document = jsonOf(policy);
  switch (service) {
    case 's3':
      return ['aws s3api put-bucket-policy', flag('bucket', name), flag('policy', document)];
    case 'ecr': {
      const repository = [flag('region', region), flag('registry-id', accountId), flag('repository-name', name)];
      return ['aws ecr set-repository-policy', ...repository, flag('policy-text', document)];
    }
    case 'kms': {
      const key = [flag('region', region), flag('key-id', text), '--policy-name=default'];
      return ['aws kms put-key-policy', ...key, flag('policy', document)];
    }
    case 'sqs': {
      // The URL of a queue is not made of its ARN in every partition.
      const asked = `aws sqs get-queue-url ${flag('region', region)} ${flag('queue-name', name)} ${flag('queue-owner-aws-account-id', accountId)} --query=QueueUrl --output=text`;
      const attributes = flag('attributes', JSON.stringify({ Policy: JSON.stringify(policy) }));
      return ['aws sqs set-queue-attributes', flag('region', region), `--queue-url="$(${asked})"`, attributes];
    }
    case 'sns': {
      const topic = [flag('region', region), flag('topic-arn', text), '--attribute-name=Policy'];
      return ['aws sns set-topic-attributes', ...topic, flag('attribute-value', document)];
    }
    case 'secretsmanager': {
      const secret = [flag('region', region), flag('secret-id', text), '--block-public-policy'];
      return ['aws secretsmanager put-resource-policy', ...secret, flag('resource-policy', document)];
    }
  }
}

function commandsOf(step: IamStep, existing: Existing, trusted: ReadonlySet<string>): readonly (readonly string[])[] {
  switch (step.kind) {
    case 'oidc-provider': {
      if (existing.has('oidc-providers')) return [];
      // As JSON: a list's words of their own may be flags (--endpoint-url=…), and a single one a file to read (file://…). Tenants
      // name audiences. https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-types.html
      const ids = flag('client-id-list', JSON.stringify(step.clientIds));
      return [['aws iam create-open-id-connect-provider', flag('url', step.url), ids]];
    }
    case 'role': {
      const { path, name } = splitRoleName(step.role.name);
      const role = flag('role-name', name);
      const document = jsonOf(step.trust);
      if (existing.has('roles'))
        return [['aws iam update-assume-role-policy', role, flag('policy-document', document)]];
      const create = ['aws iam create-role', flag('path', path), role, flag('assume-role-policy-document', document)];
      return trusted.has(step.role.text) ? [create, ['aws iam wait role-exists', role]] : [create];
    }
    case 'role-policy': {
      const role = flag('role-name', splitRoleName(step.role.name).name);
      const document = flag('policy-document', jsonOf(step.policy));
      return [['aws iam put-role-policy', role, flag('policy-name', step.name), document]];
    }
    case 'resource-policy':
      return [putResourcePolicy(step.resource, step.policy)];
  }
}

/** The steps as commands of the AWS CLI, to paste in their order; each says in which account. */
export function renderAwsCli(steps: readonly IamStep[], existing: Existing): string {
  const trusted = new Set<string>(steps.flatMap(step => ('trusts' in step ? step.trusts.map(({ text }) => text) : [])));
  const blocks = steps.flatMap(step => {
    const commands = commandsOf(step, existing, trusted).map(words => words.join(' '));
    if (commands.length === 0) return [];
    const account = accountOf(step);
    const place = account === undefined ? 'the account of the bucket' : `account ${account}`;
    return [`# In ${place}:\n${commands.join('\n')}\n`];
  });
  return blocks.join('\n');
}
