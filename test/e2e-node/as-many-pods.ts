import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import { credentialsOf } from '../e2e/injected-credentials.ts';

/** What came of it. */
export interface AsManyPods {
  readonly tried: number;
  readonly perSecond: number;
  readonly failures: readonly string[];
}

/** Tries pods as fast as they are answered, so many at a time, for so long. */
export async function asManyPods(
  namespace: BoundNamespace,
  roleArn: string,
  { atOnce, seconds }: { readonly atOnce: number; readonly seconds: number },
): Promise<AsManyPods> {
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const failures: string[] = [];
  let tried = 0;
  const one = async () => {
    while (performance.now() < endAt) {
      const answer = await namespace.tryPod();
      tried += 1;
      if (answer.status !== 201 || credentialsOf(answer.body)?.roleArn !== roleArn) {
        failures.push(`${answer.status} ${answer.body.message ?? 'a pod without its role'}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { tried, perSecond: tried / ((performance.now() - startedAt) / 1000), failures };
}
