import { type Partition, partitionOfRegion } from '../../accounts/partition.ts';
import type { RoleAccessProblem } from '../../accounts/role-access.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import {
  adoptionFieldsAnnotation,
  adoptionPolicyAnnotation,
  awsConfigAnnotation,
  credentialsAnnotation,
  defaultRegionAnnotation,
  externalIdAnnotation,
  type PodAnnotation,
  regionAnnotation,
} from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import type { RoleGrantProblem } from '../resources/pod-identity-association.ts';
import { nameSetting } from './access-denials.ts';
import { unlessResourcesStrand } from './binding-advice.ts';
import { type DenialOf, inside, mapName, type Words } from './denial.ts';
import { toPaste } from './paste.ts';
import { noRoleArn, otherAccount } from './role-denials.ts';

/** What an ACK resource can be denied for, besides a role that does not resolve. */
export type ResourceProblem =
  | {
      readonly reason: 'InvalidRegion';
      readonly value: string;
      readonly from: 'resource' | 'namespace';
      readonly partition: Partition | undefined;
      readonly within?: string | undefined;
    }
  | { readonly reason: 'RegionChange'; readonly value: string; readonly region: string }
  | {
      readonly reason: 'InvalidAnnotation';
      readonly of: 'resource';
      readonly key: string;
      readonly value: string;
      readonly allowed: string;
      readonly within?: string | undefined;
    }
  /** `adopt`, with nothing to adopt: the fields are missing, or empty. */
  | { readonly reason: 'InvalidAnnotation'; readonly of: 'adoption'; readonly isEmpty: boolean }
  | Extract<RoleAccessProblem, { readonly reason: 'InvalidAnnotation' }>
  /** The config of a pod is not what its role asks for. */
  | { readonly reason: 'ForgedAnnotation'; readonly of: 'pod'; readonly key: PodAnnotation }
  /** `within`: where the annotation stands, if not in the object's own metadata. */
  | { readonly reason: 'ForgedAnnotation'; readonly of: 'running pod'; readonly change: ConfigChange }
  | {
      readonly reason: 'ForgedAnnotation';
      readonly of: 'resource';
      readonly key: string;
      readonly within?: string | undefined;
    }
  | { readonly reason: 'ForgedFinalizer'; readonly finalizer: string }
  /** `path`: the field, as messages name it. */
  | { readonly reason: 'ForgedStatus'; readonly path: string }
  | { readonly reason: 'CrossNamespaceReference'; readonly path: string; readonly namespace: string }
  | RoleGrantProblem
  | { readonly reason: 'SelectorNotMatched' }
  | {
      readonly reason: 'SelectorConflict';
      readonly selectors: readonly string[];
      readonly of: 'resource' | 'selector';
    };

/** For backup tools, and for controllers of ACK that we do not know as such. */
const otherWriters =
  " (your platform team can allow backup tools such as Velero with --restore-identities, and ACK's controllers with --ack-identities)";

/** The same, for `docs/reasons.md`. */
const otherWritersInGeneral =
  "Your platform team can allow backup tools such as Velero with `--restore-identities`, and ACK's controllers under another ServiceAccount with `--ack-identities`.";

/** What would become of the AWS config of a running pod; `bound`: by a Binding, whose annotations the pod gets. */
export type ConfigChange = 'added' | 'changed' | 'emptied' | 'removed' | 'bound';

function sayConfigChange(change: ConfigChange): Words {
  if (change === 'bound') {
    return {
      wrong: `it would set annotation ${awsConfigAnnotation} on the pod, whose containers may read their AWS config from it`,
      remedy: 'remove it from the Binding',
    };
  }
  return {
    wrong: `annotation ${awsConfigAnnotation} would be ${change}, but the running containers read their AWS config from it`,
    remedy:
      'leave it as it is, or delete the pod and create it again without the annotation: it gets the config that is due',
  };
}

/** How a platform team allows one namespace what is another's. */
function allowingPair(from: string, to: string): string {
  return toPaste`--cross-namespace-references=${from}:${to}` ?? '--cross-namespace-references';
}

/** Each denial of an ACK resource. */
export const resourceDenials: { readonly [R in ResourceProblem['reason']]: DenialOf<ResourceProblem, R> } = {
  InvalidRegion: {
    cause: `The region of an ACK resource, its own or its namespace's default, is not an AWS region, or is in another partition than the account's role.`,
    fixedBy: 'you',
    remedy: `Correct the annotation \`${regionAnnotation}\`; your platform team can correct the namespace's \`${defaultRegionAnnotation}\`.`,
    say: ({ value, from, partition, within }, at) => {
      const isRegion = partitionOfRegion(value) !== undefined;
      const what = isRegion ? `is not a region of partition ${partition}` : 'is not an AWS region';
      return from === 'resource'
        ? { wrong: `${regionAnnotation} ${quote(value)}${inside(within)} ${what}`, remedy: 'correct that annotation' }
        : {
            wrong: `namespace ${quote(at.namespace)} has ${defaultRegionAnnotation} ${quote(value)}, which ${what}`,
            remedy: 'correct it',
            command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${defaultRegionAnnotation}=REGION`,
            fixedBy: 'platform team',
          };
    },
  },
  RegionChange: {
    cause:
      'The region of an ACK resource would change, but ACK has recorded another one for it: ACK would stop reconciling it, and report that nowhere.',
    fixedBy: 'you',
    remedy:
      'Keep the region. To use another one, create another resource. ACK records a region for a resource that it failed to create, too: delete that one, and create it again.',
    say: ({ value, region }) => ({
      wrong: `ACK has recorded region ${quote(region)} for it, and ${regionAnnotation} is ${quote(value)}`,
      remedy: `keep ${quote(region)}, or create a new resource in the other region`,
    }),
  },
  InvalidAnnotation: {
    cause: `An annotation that ACK reads has a value that ACK does not know, or a resource that adopts (\`${adoptionPolicyAnnotation}: adopt\`) does not say what. Or the credentials mode or the external id of a pod, on its ServiceAccount or its namespace (\`${credentialsAnnotation}\`, \`${externalIdAnnotation}\`), is not valid.`,
    fixedBy: 'you',
    remedy: 'Use one of the values that the message names.',
    say: (problem, at) => {
      if (problem.of === 'adoption') {
        return {
          wrong: `${adoptionPolicyAnnotation} "adopt" does not say what: ${adoptionFieldsAnnotation} is ${problem.isEmpty ? 'empty' : 'missing'}`,
          remedy: 'write there what identifies it in AWS, as a JSON object of strings',
        };
      }
      const { value, allowed } = problem;
      if ('at' in problem) {
        const { has, fixedBy } = nameSetting(problem.at, at);
        const what = value === '' ? has : `${has} ${quote(value)}`;
        return { wrong: `${what}, which is not ${allowed}`, remedy: 'correct it', fixedBy };
      }
      return {
        wrong: `${problem.key} ${quote(value)}${inside(problem.within)} is not ${allowed}`,
        remedy: 'correct that annotation',
      };
    },
  },
  ForgedAnnotation: {
    cause: `An annotation that only ACK's controllers write was added or changed by someone else. Or a pod's \`${awsConfigAnnotation}\` is not what the webhook wrote, or would change while the pod runs: its containers would take another role, or their node's.`,
    fixedBy: 'you',
    remedy: `Remove the annotation from an ACK resource. ${otherWritersInGeneral} Leave that of a running pod as it is; a pod that is created again gets the config that is due.`,
    softenedBy: 'nothing',
    say: problem => {
      switch (problem.of) {
        case 'running pod':
          return sayConfigChange(problem.change);
        case 'pod':
          return {
            wrong: `annotation ${problem.key} is not the config that is due: it was changed after carm-webhook wrote it, or the settings of the namespace have just changed`,
            remedy: 'create the pod again; if this persists, another admission webhook changes the annotation',
          };
        case 'resource':
          return {
            wrong: `only ACK's controllers may write annotation ${quote(problem.key)}${inside(problem.within)}`,
            remedy: `remove it${otherWriters}`,
          };
      }
    },
  },
  ForgedFinalizer: {
    cause: "A finalizer of ACK's controllers was added by someone else.",
    fixedBy: 'you',
    remedy: `Remove the finalizer. ${otherWritersInGeneral}`,
    softenedBy: 'nothing',
    say: ({ finalizer }) => ({
      wrong: `only ACK's controllers may add finalizer ${quote(finalizer)}`,
      remedy: `remove it${otherWriters}`,
    }),
  },
  ForgedStatus: {
    cause:
      "A field of a resource's status other than its conditions would be changed by someone other than ACK's controllers. ACK works, and deletes, where and what these fields say: the account, the region, the ARN, ids such as `status.associationID`.",
    fixedBy: 'you',
    remedy: `Do not change the status. ${otherWritersInGeneral}`,
    softenedBy: 'nothing',
    say: ({ path }) => ({
      wrong: `only ACK's controllers may write ${path}`,
      remedy: `leave it as it is${otherWriters}`,
    }),
  },
  CrossNamespaceReference: {
    cause:
      "An ACK resource refers to an object in another namespace. ACK's controllers would read or write it there, with rights over the whole cluster.",
    fixedBy: 'you',
    remedy:
      'Refer to an object in the same namespace. Your platform team can allow pairs of namespaces with `--cross-namespace-references`.',
    softenedBy: 'nothing',
    say: ({ path, namespace }, at) => ({
      wrong: `${path} names namespace ${quote(namespace)}, not its own`,
      remedy: `refer to an object in namespace ${quote(at.namespace)} (your platform team can allow it with ${allowingPair(at.namespace, namespace)})`,
    }),
  },
  RoleGrantNotAllowed: {
    cause:
      "A PodIdentityAssociation would give a role to pods of another namespace. Or one of its roles, `spec.roleARN` or `spec.targetRoleARN`, is not a role ARN in the namespace's account or in one of `--source-accounts`. Or, with `--require-pods-key`, it is a role that ACK's controllers work with.",
    fixedBy: 'you',
    remedy:
      "Name the resource's own namespace, and roles in its account. Your platform team can allow pairs of namespaces with `--cross-namespace-references`, and other accounts with `--source-accounts`.",
    softenedBy: 'nothing',
    foreignAccount: problem => {
      if (problem.why !== 'account') return undefined;
      const foreign = parseRoleArn(problem.value)?.accountId;
      return foreign === problem.accountId ? undefined : foreign;
    },
    say: (problem, at) => {
      if (problem.why === 'namespace') {
        return {
          wrong: `spec.namespace is ${quote(problem.namespace)}: it would give a role to pods of a namespace that is not its own`,
          remedy: `name namespace ${quote(at.namespace)} (your platform team can allow it with ${allowingPair(at.namespace, problem.namespace)})`,
        };
      }
      const { field, value } = problem;
      const wrong = `spec.${field} is ${quote(value)}, which`;
      if (problem.why === 'controllers') {
        const place = mapName(problem.map, { ...at, ackSystemNamespace: problem.ackSystem });
        return {
          wrong: `${wrong} is a role of ACK's controllers (${place}): --require-pods-key keeps it from pods`,
          remedy: 'use a role that ACK does not use',
        };
      }
      const { accountId, namespace } = problem;
      const role = parseRoleArn(value);
      if (role === undefined) return { wrong: `${wrong} ${noRoleArn(value)}`, remedy: 'correct it' };
      return accountId === undefined
        ? {
            wrong: `${wrong} is in account ${role.accountId}, but namespace ${quote(namespace)} is bound to no account`,
            remedy: `allow account ${role.accountId} with --source-accounts, or bind the namespace, ${unlessResourcesStrand}`,
            fixedBy: 'platform team',
          }
        : {
            wrong: `${wrong} is not in account ${accountId} (namespace ${quote(namespace)})`,
            remedy: `use a role in account ${accountId}${otherAccount(role, accountId)}`,
          };
    },
  },
  SelectorNotMatched: {
    cause:
      "No IAMRoleSelector matches the resource, so ACK would use its controllers' own role. Selectors that ACK ignores as invalid do not count.",
    fixedBy: 'platform team',
    remedy: `Add a selector that matches, or correct the one that should. If it matches existing resources, its role must be in the account in their status: ACK stops reconciling those of another account.`,
    softenedBy: 'default',
    say: (_, at) => ({
      wrong: `no IAMRoleSelector matches it, so ACK would use its controllers' own account`,
      remedy: `add one for namespace ${quote(at.namespace)} that matches no ACK resources of another account`,
    }),
  },
  SelectorConflict: {
    cause:
      'More than one IAMRoleSelector matches a resource: ACK stops reconciling it, even if they name the same role. Or a new or changed selector could match what another one matches.',
    fixedBy: 'platform team',
    remedy: 'Narrow all but one of them: for existing resources, keep the one of the account in their status.',
    say: ({ selectors, of }) => ({
      wrong:
        of === 'resource'
          ? `it is matched by more than one IAMRoleSelector: ${quoteNames(selectors)}`
          : `resources could be matched by both this selector and ${quoteNames(selectors)}`,
      remedy:
        of === 'resource'
          ? 'narrow all but one of them (if ACK has created the resource, keep the one of the account in its status)'
          : 'narrow one of them',
    }),
  },
};
