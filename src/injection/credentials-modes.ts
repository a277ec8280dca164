import type { Container, Pod } from '../objects/pod.ts';
import { chainMode } from './chain.ts';
import { webIdentityMode } from './web-identity.ts';

/** Every mode. What a pod or a container has already may come from any of them. */
export const credentialsModes = [webIdentityMode, chainMode] as const;

export type ModeName = (typeof credentialsModes)[number]['name'];

/** What the modes deny a container for. */
export type CredentialsConflict = NonNullable<ReturnType<(typeof credentialsModes)[number]['conflictIn']>>;

/** Whether a container reads a file in our mount by its own variables. */
export function readsMount(container: Container, pod: Pod): boolean {
  return credentialsModes.some(mode => mode.reads(container, pod));
}

/** Whether a container reads a file in our mount, or would if it were given a role. */
export function mayReadMount(container: Container, pod: Pod): boolean {
  return credentialsModes.some(mode => mode.isDue(container, pod) || mode.reads(container, pod));
}

/** The roles that some containers take by their own variables, or by the file that these name. */
export function rolesTaken(pod: Pod, containers: readonly Container[]): readonly string[] {
  const roles = new Set<string>();
  for (const container of containers) {
    for (const mode of credentialsModes) {
      const { roleArn, tokenFile, chain } = mode.readHeld(container, pod);
      if (roleArn && (tokenFile || chain !== undefined)) roles.add(roleArn);
    }
  }
  return [...roles];
}
