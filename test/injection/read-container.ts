import { type Container, readPod } from '../../src/objects/pod.ts';

/** The one container of a pod with these fields, read. */
export function readContainer(fields: Readonly<Record<string, unknown>>): Container {
  const [container] = readPod({ spec: { containers: [{ name: 'app', ...fields }] } }).containers;
  if (container === undefined) throw new Error('no container');
  return container;
}
