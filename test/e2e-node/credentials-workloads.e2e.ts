import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cronJob, deployment, job, statefulSet } from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import { assertIdentity } from './assert-identity.ts';
import { clientPodFields, clientSdks, clients } from './client-pods.ts';
import { type RunningPod, RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';

const namespace = 'workloads';
const region = 'eu-west-1';
const accountId = '100000000041';
const roleArn = `arn:aws:iam::${accountId}:role/workloads`;
const testLimit = { timeout: 240_000 };
const podsLimitMs = 200_000;

/** Pods that run on after they have asked. */
const lasting = clientPodFields({ containers: clients({ args: ['--hold', '1000'] }) });
/** Pods that end. */
const passing = clientPodFields({ restartPolicy: 'Never' });

function ofKind(kind: string, workload: object): object {
  return { ...workload, kind };
}

/** A label that the pods of a workload have. */
type Selector = readonly [label: string, value: string];

interface Row {
  readonly what: string;
  readonly selector: Selector;
  readonly pods: number;
  readonly objects: readonly object[];
}

const rows: readonly Row[] = [
  {
    what: 'a Deployment',
    selector: ['app', 'deployment'],
    pods: 1,
    objects: [deployment(namespace, 'deployment', lasting)],
  },
  {
    what: 'a ReplicaSet',
    selector: ['app', 'replica-set'],
    pods: 1,
    objects: [ofKind('ReplicaSet', deployment(namespace, 'replica-set', lasting))],
  },
  {
    what: 'a DaemonSet',
    selector: ['app', 'daemon-set'],
    pods: 1,
    objects: [ofKind('DaemonSet', deployment(namespace, 'daemon-set', lasting))],
  },
  {
    what: 'a Job',
    selector: ['batch.kubernetes.io/job-name', 'job'],
    pods: 1,
    objects: [job(namespace, 'job', passing)],
  },
];

describe('the pods of workloads ask STS, each as itself', () => {
  let shared: SharedCluster;
  let pods: RunningPods;

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({ namespace, accountId, roleArn, annotations: { 'services.k8s.aws/default-region': region } });
    pods = new RunningPods(shared, namespace);
    const replicated = statefulSet(namespace, 'stateful-set', lasting) as { readonly spec: object };
    await shared.apply([
      ...rows.flatMap(({ objects }) => objects),
      { ...replicated, spec: { ...replicated.spec, replicas: 2 } },
      cronJob(namespace, 'by-hand', passing),
      cronJob(namespace, 'scheduled', passing),
    ]);
    await shared.plane.kubectl(['create', 'job', 'from-cron-job', '--from=cronjob/by-hand', '-n', namespace]);
  }, startLimit);
  after(() => shared?.remove(namespace));

  async function podsOf([label, value]: Selector, count: number): Promise<readonly RunningPod[]> {
    return eventually(
      `${count} pods with ${label}=${value}`,
      async () => {
        const found = await pods.labelled(label, value);
        return found.length >= count ? found : undefined;
      },
      podsLimitMs,
    );
  }

  async function assertAllAsk(selector: Selector, count: number): Promise<readonly RunningPod[]> {
    const found = await podsOf(selector, count);
    assert.equal(found.length, count);
    for (const pod of found) {
      for (const sdk of clientSdks) {
        const answer = await pods.answer(pod.metadata.name, sdk);
        assertIdentity(shared.sts, pod, answer, { roleArn, region });
      }
    }
    return found;
  }

  for (const { what, selector, pods: count } of rows) {
    test(what, testLimit, async () => {
      await assertAllAsk(selector, count);
    });
  }

  test('a StatefulSet: the second pod comes after the first, and each has its own token', testLimit, async () => {
    const found = await assertAllAsk(['app', 'stateful-set'], 2);
    assert.deepEqual(found.map(({ metadata }) => metadata.name).toSorted(), ['stateful-set-0', 'stateful-set-1']);
  });

  test('kubectl create job --from=cronjob', testLimit, async () => {
    await assertAllAsk(['batch.kubernetes.io/job-name', 'from-cron-job'], 1);
  });

  test('a CronJob whose time has come', testLimit, async () => {
    // Once a year. That it ran last two years ago makes a run due at once.
    const lastScheduleTime = new Date(Date.now() - 2 * 366 * 86_400_000).toISOString();
    const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/scheduled/status`;
    const { status } = await shared.plane.request('PATCH', path, { status: { lastScheduleTime } });
    assert.equal(status, 200);
    const name = await eventually(
      'the Job of the CronJob',
      async () => {
        const { items } = await shared.get<{
          readonly items: readonly { readonly metadata: { readonly name: string } }[];
        }>(`/apis/batch/v1/namespaces/${namespace}/jobs`);
        return items.find(({ metadata }) => metadata.name.startsWith('scheduled-'))?.metadata.name;
      },
      podsLimitMs,
    );
    await assertAllAsk(['batch.kubernetes.io/job-name', name], 1);
  });

  test('Jobs whose clients have asked are complete', testLimit, async () => {
    for (const name of ['job', 'from-cron-job']) {
      const args = ['wait', '--for=condition=Complete', `job/${name}`, '-n', namespace, '--timeout=60s'];
      await shared.plane.kubectl(args, { timeoutMs: 65_000 });
    }
  });
});
