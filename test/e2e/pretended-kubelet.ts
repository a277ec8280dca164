import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../testbed/control-plane.ts';

interface PodList {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly ownerReferences?: readonly { readonly kind: string }[];
    };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

const everyMs = 200;

/**
 * Reports every pod of a namespace as ready while `meanwhile` runs. A plane has no nodes, so rollouts would never end; what is
 * pretended is only that the containers run, and that those of Jobs end well.
 * @param run Is given how many pods there are, on every look, to run what stands for their containers; false: they do not start.
 */
export async function withReadyPods<Result>(
  plane: ControlPlane,
  namespace: string,
  meanwhile: () => Promise<Result>,
  run: (pods: number) => Promise<boolean> = async () => true,
): Promise<Result> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  let over = false;
  const reporting = (async () => {
    while (!over) {
      const { body } = await plane.request<PodList>('GET', pods);
      const items = (await run(body.items?.length ?? 0)) ? (body.items ?? []) : [];
      for (const { metadata, status } of items) {
        if (status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true) continue;
        const conditions = [
          { type: 'ContainersReady', status: 'True' },
          { type: 'Ready', status: 'True' },
        ];
        const isOfJob = metadata.ownerReferences?.some(({ kind }) => kind === 'Job') === true;
        const phase = isOfJob ? 'Succeeded' : 'Running';
        // One that was deleted meanwhile is none of its concern.
        await plane.request('PATCH', `${pods}/${metadata.name}/status`, { status: { phase, conditions } });
      }
      await sleep(everyMs);
    }
  })();
  try {
    return await meanwhile();
  } finally {
    over = true;
    await reporting;
  }
}
