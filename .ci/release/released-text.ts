import { ReleaseError } from './release-error.ts';
import type { ReleaseNames } from './release-names.ts';

/** Puts one text in place of another that stands exactly once. */
function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2)
    throw new ReleaseError(`${JSON.stringify(from)} does not stand once where it is replaced`);
  return text.replace(from, () => to);
}

/** `values.yaml`: the chart of a release runs its image, whoever made it. Comments stay. */
export function releasedValues(text: string, { image }: ReleaseNames): string {
  const [head = '', tail = ''] = text.split(/^(?=imagePullSecrets:)/m);
  const registry = replaceOnce(head, '\n  registry: ""\n', `\n  registry: ${image.registry}\n`);
  return replaceOnce(registry, '\n  repository: ""\n', `\n  repository: ${image.repository}\n`) + tail;
}

/** `Chart.yaml`. From `sources` Helm makes the annotation by which GitHub shows the chart at its repository. */
export function releasedChart(text: string, { repository }: ReleaseNames): string {
  const home = `https://github.com/${repository}`;
  return replaceOnce(text, '\nannotations:\n', `\nhome: ${home}\nsources: [${home}]\nannotations:\n`);
}

/** `README.md` of the chart. */
export function releasedReadme(text: string, { image, chart, repository }: ReleaseNames, version: string): string {
  const install = /^\$ helm install [^`]*/m.exec(text)?.[0];
  if (install === undefined) throw new ReleaseError('README.md of the chart has no installation');
  const row = (name: string, value: string) => (each: string) =>
    each.startsWith(`| \`image.${name}\``) ? each.replace('`""` |', `\`"${value}"\` |`) : each;
  return replaceOnce(
    text,
    install,
    `$ helm install carm-webhook ${chart.parent}/carm-webhook --version ${version} --namespace carm-webhook --create-namespace\n`,
  )
    .split('\n')
    .map(row('registry', image.registry))
    .map(row('repository', image.repository))
    .join('\n')
    .replaceAll('](../../', `](https://github.com/${repository}/blob/v${version}/`);
}

/** `install.yaml`, for kubectl. */
export function releasedManifests(text: string, { image }: ReleaseNames): string {
  const [head = '', tail = ''] = text.split(/^(?=---)/m);
  if (!text.includes('registry.invalid/carm-webhook:unset'))
    throw new ReleaseError('install.yaml names no image to replace');
  const objects = text.slice(head.length) || tail;
  return `# carm-webhook for kubectl apply. Install cert-manager and create the ACK system namespace first.\n${objects.replaceAll(
    'registry.invalid/carm-webhook:unset',
    image.reference,
  )}`;
}
