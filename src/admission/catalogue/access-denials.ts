import type { RoleAccessProblem, SettingPlace } from '../../accounts/role-access.ts';
import type { CredentialsConflict } from '../../injection/credentials-modes.ts';
import { tokenVolumeName } from '../../injection/token-volume.ts';
import { credentialsAnnotation, hubRoleArnAnnotation, skipContainersAnnotation } from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import type { DenialOf, FixedBy, MessageContext } from './denial.ts';
import { toPaste } from './paste.ts';

/** Chain mode, and no role to take first. */
export interface HubRoleMissing {
  readonly reason: 'HubRoleMissing';
  /** Those that EKS Pod Identity does not serve, where it serves others of the pod. */
  readonly containers: readonly string[];
}

/** What a pod can be denied for because of how it would get its role. */
export type AccessProblem =
  | CredentialsConflict
  | Extract<RoleAccessProblem, { readonly reason: 'CredentialConflict' }>
  | HubRoleMissing;

/** Where a setting of chain mode stands, as a message begins; and who can change it. */
export function nameSetting(
  at: SettingPlace,
  { namespace, serviceAccountName }: MessageContext,
): { readonly has: string; readonly fixedBy: FixedBy } {
  switch (at.on) {
    case 'flag':
      return { has: at.flag, fixedBy: 'platform team' };
    case 'namespace':
      return { has: `namespace ${quote(namespace)} has ${at.annotation}`, fixedBy: 'platform team' };
    case 'ServiceAccount':
      return { has: `ServiceAccount ${quote(serviceAccountName)} has ${at.annotation}`, fixedBy: 'you' };
  }
}

/** Each denial of a pod because of how it would get its role. */
export const accessDenials: { readonly [R in AccessProblem['reason']]: DenialOf<AccessProblem, R> } = {
  CredentialConflict: {
    cause: `A pod has credentials of its own beside those that it would get, and AWS SDKs do not agree on which to use. In chain mode: a container sets \`AWS_ROLE_ARN\`, \`AWS_WEB_IDENTITY_TOKEN_FILE\`, \`AWS_CONFIG_FILE\`, \`AWS_PROFILE\`, \`AWS_DEFAULT_PROFILE\`, \`AWS_SHARED_CREDENTIALS_FILE\`, \`AWS_SDK_LOAD_CONFIG\` to something other than true, or a static key (by its old names \`AWS_ACCESS_KEY\` and \`AWS_SECRET_KEY\` too); or the role of the pod is the hub role itself. In mode web-identity: a container sets \`AWS_CONFIG_FILE\` to the file that only chain mode writes.`,
    fixedBy: 'you',
    remedy: `Remove the variables, list the container in \`${skipContainersAnnotation}\`, or use the other credentials mode (\`${credentialsAnnotation}\` on the ServiceAccount or the namespace). Where the role is the hub role, use another one.`,
    say: (problem, at) => {
      if (problem.why === 'hub role') {
        const { hub, source } = problem;
        const wrong = `the role of the pod is its hub role, ${quote(hub.text)}: a chain goes from the hub role to another one`;
        return source.kind === 'requested'
          ? {
              wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${source.annotation}, by which ${wrong}`,
              remedy: `name another role there, or use ${credentialsAnnotation}=web-identity`,
            }
          : { wrong, remedy: 'map another role, or set another hub role', fixedBy: 'platform team' };
      }
      const { container } = problem;
      const name = `${container.kind} ${quote(container.name)}`;
      if (problem.why === 'chain file') {
        return {
          wrong: `${name} sets AWS_CONFIG_FILE to the file of chain mode, but the pod uses web identity, so nothing writes that file`,
          remedy: `create the pod without AWS_CONFIG_FILE and volume ${tokenVolumeName} (an earlier injection may have left them), or annotate its ServiceAccount with ${credentialsAnnotation}=chain`,
        };
      }
      const variables = problem.variables.join(', ');
      const them = problem.variables.length === 1 ? 'it' : 'them';
      const injected =
        at.roleArnAnnotation === undefined ? '' : ' (an earlier injection in mode web-identity may have left them)';
      return {
        wrong: `${name} sets ${variables}; in chain mode, AWS SDKs would use ${them} instead of the injected config file, or fail${injected}`,
        remedy: `remove ${them}, list the container in the pod's annotation ${skipContainersAnnotation}, or annotate its ServiceAccount with ${credentialsAnnotation}=web-identity if the role trusts this cluster`,
      };
    },
  },
  HubRoleMissing: {
    cause:
      'The credentials mode of the pod is `chain`, and no hub role is set: neither on the ServiceAccount, nor on the namespace, nor by `--hub-role-arn`. EKS Pod Identity, which could give it another first role, does not serve all of its containers.',
    fixedBy: 'platform team',
    remedy: `Set \`--hub-role-arn\` or annotate the namespace with \`${hubRoleArnAnnotation}\`; or associate the ServiceAccount with the hub role by EKS Pod Identity.`,
    say: ({ containers }, at) => ({
      wrong:
        containers.length === 0
          ? 'its credentials mode is chain, and there is no hub role'
          : `its credentials mode is chain, there is no hub role, and EKS Pod Identity does not serve ${quoteNames(containers)}`,
      remedy: 'set a hub role with --hub-role-arn, or for the namespace',
      command: toPaste`kubectl annotate namespace ${at.namespace} ${hubRoleArnAnnotation}=HUB_ROLE_ARN`,
    }),
  },
};
