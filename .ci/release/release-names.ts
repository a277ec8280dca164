import { ReleaseError } from './release-error.ts';

/** Where a release goes: all of it under the owner of the repository that makes it, so that a fork publishes its own. */
export interface ReleaseNames {
  readonly repository: string;
  readonly image: { readonly registry: string; readonly repository: string; readonly reference: string };
  readonly chart: { readonly parent: string; readonly reference: string };
}

/**
 * @param repository as GITHUB_REPOSITORY has it: `OWNER/NAME`.
 * @throws {ReleaseError}
 */
export function releaseNames(repository: string, version: string, registry = 'ghcr.io'): ReleaseNames {
  const [, owner] = /^([A-Za-z0-9-]+)\/[\w.-]+$/.exec(repository) ?? [];
  if (owner === undefined) throw new ReleaseError(`${JSON.stringify(repository)} is not OWNER/NAME`);
  // Names of images are in small letters, those of owners need not be.
  const home = owner.toLowerCase();
  const image = `${home}/carm-webhook`;
  return {
    repository,
    image: { registry, repository: image, reference: `${registry}/${image}:${version}` },
    chart: {
      parent: `oci://${registry}/${home}/charts`,
      reference: `${registry}/${home}/charts/carm-webhook:${version}`,
    },
  };
}
