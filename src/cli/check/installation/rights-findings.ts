import type { Config } from '../../../admission/config.ts';
import { roleMapNames } from '../../../objects/role-map.ts';
import type { AskedRight, InstallationSource } from '../../sources/installation-source.ts';
import { type Finding, finding } from '../finding.ts';

/** Rights that are missing and told. */
const mostTold = 8;

/**
 * What the ServiceAccount of the webhook must be allowed, as `deploy/` gives it.
 * @param ackGroups each with one of its resources.
 */
export function neededRights(
  { ackSystems, featureGates, authorizeBindings }: Config,
  ackGroups: ReadonlyMap<string, string>,
): readonly AskedRight[] {
  const each = (verbs: readonly string[], right: Omit<AskedRight, 'verb'>) => verbs.map(verb => ({ ...right, verb }));
  const read = ['get', 'list', 'watch'];
  return [
    ...['namespaces', 'serviceaccounts'].flatMap(resource => each(read, { group: '', resource })),
    ...ackSystems.flatMap(({ namespace }) =>
      Object.values(roleMapNames).flatMap(name => each(read, { group: '', resource: 'configmaps', namespace, name })),
    ),
    ...(featureGates.IAMRoleSelector
      ? each(['list', 'watch'], { group: 'services.k8s.aws', resource: 'iamroleselectors' })
      : []),
    ...(authorizeBindings ? each(['create'], { group: 'authorization.k8s.io', resource: 'subjectaccessreviews' }) : []),
    ...[...ackGroups].flatMap(([group, resource]) => each(['list'], { group, resource })),
  ];
}

function inWords({ verb, resource, group, namespace, name }: AskedRight): string {
  const what = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${what}${name === undefined ? '' : `/${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

/** Which rights the webhook lacks. @throws {ClusterUnreachableError} where nobody may ask for them. */
export async function findMissingRights(
  installation: InstallationSource,
  serviceAccount: { readonly namespace: string; readonly name: string },
  config: Config,
): Promise<readonly Finding[]> {
  const rights = neededRights(config, await installation.ackGroups());
  const [first, ...rest] = rights;
  if (first === undefined) return [];
  const ask = async (right: AskedRight) => ((await installation.isAllowed(serviceAccount, right)) ? [] : [right]);
  // Whoever may not ask for one may not ask for the others.
  const missing = [...(await ask(first)), ...(await Promise.all(rest.map(ask))).flat()];
  if (missing.length === 0) return [];
  const told = missing.slice(0, mostTold).map(inWords).join(', ');
  const more = missing.length > mostTold ? ` and ${missing.length - mostTold} more` : '';
  const object = { kind: 'ServiceAccount', ...serviceAccount };
  return [finding('WebhookRightMissing', object, `the webhook may not: ${told}${more}`)];
}
