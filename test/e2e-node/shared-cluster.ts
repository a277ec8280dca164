import { after } from 'node:test';
import { NodeCluster } from './node-cluster.ts';

let started: Promise<NodeCluster> | undefined;

/** The cluster of every file that changes nothing for good: started when one first asks, stopped after the last test. */
export function sharedCluster(): Promise<NodeCluster> {
  started ??= NodeCluster.start();
  return started;
}

after(async () => {
  await (await started)?.stop();
});
