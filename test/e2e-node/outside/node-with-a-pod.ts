/** Starts a control plane with a node and a pod on it, says so, and waits until it is ended: for nothing-left.e2e.ts. */

import { eventually } from '../../e2e/eventually.ts';
import { ControlPlane } from '../../testbed/control-plane.ts';
import { TestNode } from '../../testbed/node/test-node.ts';
import { busyboxImage, nodeImages } from '../images.ts';

const podLimitMs = 60_000;

const plane = await ControlPlane.start({ node: true });
const node = await TestNode.start(plane, await nodeImages());
const ended = Promise.withResolvers<void>();
process.once('SIGTERM', () => ended.resolve());
const spec = {
  // Something of each kind that is mounted into pods.
  volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
  containers: [
    {
      name: 'app',
      image: busyboxImage,
      command: ['sleep', '1000'],
      volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
    },
  ],
};
await eventually('the pod is created', async () => {
  const { status } = await plane.request('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'app' },
    spec,
  });
  return status === 201 ? true : undefined;
});
await plane.kubectl(['wait', '--for=condition=Ready', 'pod/app', '--timeout=60s'], { timeoutMs: podLimitMs });
process.stdout.write(`running in ${process.env['NODE_CONTROL_GROUP']}\n`);
const alive = setInterval(() => undefined, 2 ** 30);
await ended.promise;
clearInterval(alive);
await node.stop();
await plane.stop();
