import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { assertIdentity } from './assert-identity.ts';
import { client, clientImageOf, clientPod } from './client-pods.ts';
import { RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';

const namespace = 'debugged';
const region = 'eu-central-1';
const accountId = '100000000051';
const roleArn = `arn:aws:iam::${accountId}:role/debugged`;
const testLimit = { timeout: 240_000 };

/** A flag of kubectl that lays these fields over the debug container. */
function custom(name: string, fields: object): string {
  const file = join(tmpdir(), `${name}.json`);
  writeFileSync(file, JSON.stringify(fields));
  return `--custom=${file}`;
}

interface Row {
  readonly container: string;
  readonly what: string;
  readonly pod: 'plain' | 'restricted' | 'one-uid' | 'container-uid';
  readonly flags?: readonly string[];
  readonly uid?: number;
  readonly tokenMode?: string;
  readonly error?: RegExp;
}

const rows: readonly Row[] = [
  { container: 'beside', what: 'a debug container', pod: 'plain', uid: 0, tokenMode: '0644' },
  {
    container: 'target',
    what: 'one in the processes of a container',
    pod: 'plain',
    flags: ['--target=app'],
    uid: 0,
    tokenMode: '0644',
  },
  {
    container: 'restricted',
    what: 'one of the restricted profile',
    pod: 'restricted',
    flags: ['--profile=restricted'],
    uid: 65_532,
    tokenMode: '0600',
  },
  {
    container: 'same-user',
    what: 'one of the user that all containers of the pod have',
    pod: 'one-uid',
    uid: 1003,
  },
  {
    container: 'same-user-by-file',
    what: 'one that is given the user of the containers, who have it themselves',
    pod: 'container-uid',
    flags: [custom('same-user', { securityContext: { runAsUser: 1003 } })],
    uid: 1003,
    tokenMode: '0600',
  },
  {
    container: 'other-user',
    what: 'one of another user: the token is not that user’s',
    pod: 'one-uid',
    flags: [custom('other-user', { securityContext: { runAsUser: 2003 } })],
    error: /^PermissionError: .+ Permission denied: '\/var\/run\/secrets\/eks\.amazonaws\.com\/serviceaccount\/token'$/,
  },
  {
    container: 'root',
    what: 'one of root, who may read all',
    pod: 'one-uid',
    flags: [custom('root', { securityContext: { runAsUser: 0 } })],
    uid: 0,
  },
];

const podFields = {
  plain: {},
  restricted: {
    securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
  },
  'one-uid': { securityContext: { runAsUser: 1003 } },
  'container-uid': {},
};

describe('kubectl debug in a running pod', () => {
  let shared: SharedCluster;
  let pods: RunningPods;
  const debugged = new Map<string, KubectlResult>();

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({ namespace, accountId, roleArn, annotations: { 'services.k8s.aws/default-region': region } });
    pods = new RunningPods(shared, namespace);
    const app = client('js', { name: 'app', args: ['--hold', '1000'] });
    const ofItsOwnUser = { ...app, securityContext: { runAsUser: 1003 } };
    await Promise.all(
      Object.entries(podFields).map(async ([name, fields]) => {
        const containers = [name === 'container-uid' ? ofItsOwnUser : app];
        await pods.create(clientPod(namespace, name, { ...fields, containers }));
        await pods.answer(name, 'app');
        for (const { container, pod, flags = [] } of rows) {
          if (pod !== name) continue;
          const image = [`--image=${clientImageOf.boto3}`, '--image-pull-policy=Never'];
          const args = ['debug', name, '-n', namespace, '-c', container, ...image, ...flags];
          debugged.set(container, await shared.plane.kubectl(args));
        }
      }),
    );
  }, startLimit);
  after(() => shared?.remove(namespace));

  for (const row of rows) {
    test(row.what, testLimit, async () => {
      assert.doesNotMatch(debugged.get(row.container)?.stderr ?? '', /carm-webhook|Injected/);
      const answer = await pods.answer(row.pod, row.container);
      if (row.error !== undefined) {
        assert.match(answer.error ?? '', row.error);
        return;
      }
      assertIdentity(shared.sts, await pods.get(row.pod), answer, { roleArn, region });
      if (row.uid !== undefined) assert.equal(answer.uid, row.uid);
      if (row.tokenMode !== undefined) assert.equal(answer.tokenMode, row.tokenMode);
    });
  }
});
