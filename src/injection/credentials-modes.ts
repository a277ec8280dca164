import type { Container, Pod } from '../objects/pod.ts';
import { webIdentityMode } from './web-identity.ts';

/** Every mode. What a pod or a container has already may come from any of them. */
export const credentialsModes = [webIdentityMode] as const;

export type ModeName = (typeof credentialsModes)[number]['name'];

/** What the modes deny a container for. */
export type CredentialsConflict = NonNullable<ReturnType<(typeof credentialsModes)[number]['conflictIn']>>;

/** The containers that read files in our mount by their own variables, and the mode that they read them by. */
export interface MountUsers {
  readonly mode: (typeof credentialsModes)[number];
  readonly containers: readonly Container[];
}

/** Those among some containers of a pod; no entry for a mode that none of them uses. */
export function mountUsers(pod: Pod, containers: readonly Container[]): readonly MountUsers[] {
  const users: MountUsers[] = [];
  for (const mode of credentialsModes) {
    const readers = containers.filter(container => mode.reads(container, pod));
    if (readers.length > 0) users.push({ mode, containers: readers });
  }
  return users;
}

/** Whether a container reads a file in our mount, or would if it were given a role. */
export function mayReadMount(container: Container, pod: Pod): boolean {
  return credentialsModes.some(mode => mode.isDue(container, pod) || mode.reads(container, pod));
}

/** The roles that some containers take by their own variables. */
export function rolesTaken(pod: Pod, containers: readonly Container[]): readonly string[] {
  const roles = new Set<string>();
  for (const container of containers) {
    for (const mode of credentialsModes) {
      const { roleArn, tokenFile } = mode.readHeld(container, pod);
      if (roleArn && tokenFile) roles.add(roleArn);
    }
  }
  return [...roles];
}
