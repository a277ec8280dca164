/** An error to be thrown for what cannot be the name of an image. */
export class ImageNameError extends Error {
  override readonly name = 'ImageNameError';
  readonly code = 'InvalidImageName';
}

export interface ImageName {
  /** With registry and tag, as container engines complete a short name: `docker.io/library/carm-webhook:dev`. */
  readonly full: string;
  readonly tag: string;
}

/**
 * The grammar and the defaults are those of https://github.com/distribution/reference.
 * @throws {ImageNameError}
 */
export function parseImageName(name: string): ImageName {
  const found =
    /^((?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::\d+)?|[A-Za-z0-9-]+:\d+)\/)?([a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*)(?::(\w[\w.-]{0,127}))?$/.exec(
      name,
    );
  if (found === null) throw new ImageNameError(`${JSON.stringify(name)} is not the name of an image (NAME:TAG)`);
  const [, registry = 'docker.io/', path = '', tag = 'latest'] = found;
  const library = registry === 'docker.io/' && !path.includes('/') ? 'library/' : '';
  return { full: `${registry}${library}${path}:${tag}`, tag };
}
