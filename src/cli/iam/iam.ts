import { readFile } from 'node:fs/promises';
import { roleIdentity } from '../../accounts/role-arn.ts';
import type { Config } from '../../admission/config.ts';
import { type Grant, planIam, sharedHubWarnings } from '../../aws/iam/iam-plan.ts';
import type { IamStep } from '../../aws/iam/iam-step.ts';
import { issuerDoubt, issuerForm, type OidcIssuer, parseIssuer } from '../../aws/iam/oidc-issuer.ts';
import { quotaWarnings } from '../../aws/iam/quotas.ts';
import { parseResourceArn } from '../../aws/iam/resource-arn.ts';
import { planResource, type ResourceAccess, resourceDoubts } from '../../aws/iam/resource-policy.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { whyUnreadable } from '../../why-unreadable.ts';
import type { Command, Surroundings } from '../command.ts';
import { configFrom } from '../flags/config-flags.ts';
import { describeFlags, echo, type FlagValues, readFlags, rejectArguments } from '../flags/flag.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { openSource } from '../sources/open-source.ts';
import { exitCodes, UsageError } from '../usage-error.ts';
import { ackRoles } from './ack-roles.ts';
import { type Collected, collectGrants, type Selection } from './collect-grants.ts';
import { iamFlags } from './iam-flags.ts';
import { renderAwsCli } from './render-aws-cli.ts';
import { renderJson } from './render-json.ts';
import { renderTerraform } from './render-terraform.ts';
import { renderTerraformJson } from './render-terraform-json.ts';
import { terraformOf } from './terraform-blocks.ts';

type Values = FlagValues<typeof iamFlags>;

/** @throws {UsageError} */
function selectionOf({ namespace, account, all, serviceAccounts }: Values): Selection {
  const given = [namespace !== undefined, account !== undefined, all].filter(Boolean).length;
  if (given !== 1) throw new UsageError('iam takes exactly one of --namespace, --account and --all');
  if (namespace !== undefined) return { kind: 'namespace', name: namespace, serviceAccounts };
  if (serviceAccounts.length > 0) throw new UsageError('--serviceaccount goes with --namespace only');
  return account === undefined ? { kind: 'all' } : { kind: 'account', accountId: account };
}

/** A bound on what is parsed, well above what AWS takes: 32 KiB of a KMS key's policy, for one. https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
const longestPolicy = 262_144;

/** @throws {UsageError} */
async function readPolicy(path: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const why = whyUnreadable(cause, 'file');
    if (why === undefined) throw cause;
    throw new UsageError(`cannot read --resource-policy ${echo(path)}: ${why}`, { cause });
  }
  let policy: unknown;
  try {
    policy = text.length > longestPolicy ? undefined : JSON.parse(text);
  } catch {
    policy = undefined;
  }
  if (isJsonObject(policy) && [policy['Statement']].flat().every(isJsonObject)) return policy;
  throw new UsageError(`--resource-policy ${echo(path)} holds no policy: a JSON object with Statement`);
}

/** @throws {UsageError} */
async function resourceOf(values: Values): Promise<ResourceAccess | undefined> {
  const { resource: service, resourceArn, resourcePolicy, resourceWrite: write } = values;
  if (service === undefined) {
    if (resourceArn === undefined && resourcePolicy === undefined && !write) return undefined;
    throw new UsageError('--resource-arn, --resource-policy and --resource-write go with --resource only');
  }
  if (resourceArn === undefined) throw new UsageError('--resource needs --resource-arn');
  const resource = parseResourceArn(service, resourceArn);
  if (resource === undefined) {
    throw new UsageError(`--resource-arn ${echo(resourceArn)} is not the ARN of one resource of ${service}`);
  }
  return { resource, write, existing: resourcePolicy === undefined ? undefined : await readPolicy(resourcePolicy) };
}

/** The issuers of the flags, else that of the cluster. @throws {UsageError} where none is known. */
async function issuersOf({ oidcIssuers, podIdentity }: Values, source: ObjectSource): Promise<readonly OidcIssuer[]> {
  if (podIdentity) return [];
  if (oidcIssuers.length > 0) return [...new Map(oidcIssuers.map(issuer => [issuer.url, issuer])).values()];
  const url = await source.issuer();
  if (url === undefined) {
    throw new UsageError('the issuer of ServiceAccount tokens is not known: set --oidc-issuer');
  }
  const issuer = parseIssuer(url);
  if (issuer !== undefined) return [issuer];
  throw new UsageError(`the cluster's issuer ${echo(url)} is not ${issuerForm}: set --oidc-issuer`);
}

function podIdentityDoubts({ podIdentity, eksClusterArns }: Values, grants: readonly Grant[]): readonly string[] {
  if (!podIdentity)
    return eksClusterArns.length === 0 ? [] : ['--eks-cluster-arn has no effect without --pod-identity'];
  if (eksClusterArns.length === 0) {
    return [
      "without --eks-cluster-arn, the namespaces of these names in every EKS cluster of a role's account are trusted",
    ];
  }
  const accounts = new Set(eksClusterArns.map(arn => arn.split(':')[4]));
  const first = grants.flatMap(({ access }) => (access.mode === 'chain' ? (access.hub ?? []) : access.role));
  const foreign = [...new Map(first.map(role => [role.text, role])).values()].filter(
    ({ accountId }) => !accounts.has(accountId),
  );
  return foreign
    .slice(0, 5)
    .map(
      ({ text }) =>
        `${text} is not in the account of one of these clusters: EKS Pod Identity takes the first role from the cluster's account only`,
    );
}

/** Trust policies that are written replace what is there: ACK's controllers may be in it. */
function lockedOutDoubts(steps: readonly IamStep[], state: Snapshot, config: Config): readonly string[] {
  const ofAck = new Set(ackRoles(state, config, undefined).map(roleIdentity));
  const shared = steps.flatMap(step =>
    step.kind === 'role' && ofAck.has(roleIdentity(step.role)) ? [step.role.text] : [],
  );
  const [first] = shared;
  if (first === undefined) return [];
  const others = shared.length === 1 ? '' : ` and ${shared.length - 1} more`;
  return [
    `ACK's controllers assume ${first}${others}: these trust policies lock them out. Set --ack-role-arn to their role`,
  ];
}

interface Written {
  readonly steps: readonly IamStep[];
  readonly warnings: readonly string[];
}

function resourceSteps(grants: readonly Grant[], access: ResourceAccess): Written {
  const roles = [...new Map(grants.map(({ access: { role } }) => [role.text as string, role])).values()];
  roles.sort((a, b) => (a.text < b.text ? -1 : 1));
  if (roles.length === 0) return { steps: [], warnings: [] };
  const steps = planResource(roles, access);
  return { steps, warnings: [...resourceDoubts(roles, access), ...quotaWarnings(steps)] };
}

function trustSteps(
  { grants, bindings }: Collected,
  issuers: readonly OidcIssuer[],
  values: Values,
  state: Snapshot,
  config: Config,
): Written {
  const { podIdentity, eksClusterArns, ackRole, all, account } = values;
  const of = all
    ? undefined
    : [...bindings, ...(account === undefined ? [] : [{ kind: 'account', id: account } as const])];
  const ack = ackRole && { role: ackRole, mapped: ackRoles(state, config, of) };
  const overPodIdentity = podIdentity ? { clusterArns: eksClusterArns } : undefined;
  const steps = planIam(grants, { issuers, podIdentity: overPodIdentity, ack });
  const ofIssuers = issuers.flatMap(issuer => {
    const doubt = issuerDoubt(issuer);
    return doubt === undefined ? [] : [`issuer ${issuer.url}: ${doubt}`];
  });
  const warnings = [
    ...ofIssuers.slice(0, 5),
    ...podIdentityDoubts(values, grants),
    ...sharedHubWarnings(grants),
    ...(ack === undefined ? lockedOutDoubts(steps, state, config) : []),
    ...quotaWarnings(steps),
  ];
  return { steps, warnings };
}

function render(steps: readonly IamStep[], { output, existing }: Values): string {
  switch (output) {
    case 'json':
      return renderJson(steps);
    case 'aws-cli':
      return renderAwsCli(steps, existing);
    case 'terraform':
      return renderTerraform(terraformOf(steps, existing));
    case 'terraform-json':
      return renderTerraformJson(terraformOf(steps, existing));
  }
}

/** Warnings that are told; of more, how many. */
const mostWarnings = 50;

async function iam(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(iamFlags, argv, env, 'iam');
  rejectArguments('iam', positionals);
  const selection = selectionOf(values);
  const access = await resourceOf(values);
  const config = configFrom(values, env);
  await using source = await openSource(values, config);
  const issuers = access === undefined ? await issuersOf(values, source) : [];
  const state = await source.bindings(selection.kind === 'namespace' ? selection.name : undefined);
  const { anyServiceAccount } = values;
  const options = { anyServiceAccount, issuers: issuers.length, needsHub: access === undefined };
  const collected = collectGrants(state, selection, config, options);
  const { steps, warnings: doubts } =
    access === undefined
      ? trustSteps(collected, issuers, values, state, config)
      : resourceSteps(collected.grants, access);
  const warnings = [...collected.chosen, ...doubts];
  const more = warnings.length - mostWarnings;
  const said = more > 0 ? [...warnings.slice(0, mostWarnings), `and ${more} more warnings`] : warnings;
  for (const line of [...collected.leftOut, ...said]) stderr.write(`${line}\n`);
  stdout.write(render(steps, values));
  return collected.leftOut.length > 0 ? exitCodes.denied : exitCodes.done;
}

/** `carm-webhook iam`: the trust and permission policies of every role that pods get to. */
export const command: Command = {
  flags: iamFlags,
  help: () => `Usage: carm-webhook iam -n NAMESPACE|--account ACCOUNT|--all [flags]

Writes the policies that let exactly the pods of the account map take their roles: OIDC providers,
trust policies, and what hub roles may assume. The steps are in the order in which AWS accepts them,
and each names its account. Nothing is changed in AWS. What a role may do in its account is yours to
write; --resource writes what lets the roles use one resource.

stderr has warnings, and what is left out because its role does not resolve: the exit code is then
1. It needs the rights to get the two maps, to get or list namespaces and serviceaccounts, and to
get /.well-known/openid-configuration, unless --oidc-issuer is set.

Examples:
  carm-webhook iam -n team-a -o aws-cli
  carm-webhook iam --all -o terraform --oidc-issuer https://keys.example.com/one
  carm-webhook iam -n team-a --resource s3 --resource-arn arn:aws:s3:::reports

${describeFlags(iamFlags, iamFlags.output)}`,
  run: iam,
};
