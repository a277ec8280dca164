import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chosenKubernetes } from '../testbed/binaries.ts';
import { KubectlFailed } from '../testbed/kubectl.ts';
import {
  boundNamespace,
  container,
  containerWith,
  type PodFields,
  pod,
  type StoredPod,
  serviceAccount,
  type Volume,
} from './cluster-objects.ts';
import { PatchingWebhook } from './patching-webhook.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const source = '123456789012';
const hub = `arn:aws:iam::${source}:role/pods-hub`;
const tenantHub = 'arn:aws:iam::999999999999:role/hub';
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const config = 'carm-webhook.dev/aws-config';
const rescuer = 'rescuer';
const testLimit = { timeout: 60_000 };

/** Written out once more: what a pod of a namespace gets. */
const dueIn = (namespace: string): string => `[profile carm-hub]
role_arn = ${hub}
web_identity_token_file = /var/run/secrets/eks.amazonaws.com/serviceaccount/token
role_session_name = ${namespace}.app

[default]
role_arn = ${role}
source_profile = carm-hub
external_id = ${account}/${namespace}
role_session_name = ${namespace}.app
`;

const forgedText = `[default]\nrole_arn = ${foreignRole}\ncredential_source = EcsContainer\n`;

/** The volume of chain mode, written by hand. */
const handMade: Volume = {
  name: 'aws-iam-token',
  projected: {
    sources: [
      { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } },
      { downwardAPI: { items: [{ path: 'config', fieldRef: { fieldPath: `metadata.annotations['${config}']` } }] } },
    ],
  },
};
const mount = {
  name: 'aws-iam-token',
  mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
  readOnly: true,
};
const readsHandMade = container({
  env: [{ name: 'AWS_CONFIG_FILE', value: `${mount.mountPath}/config` }],
  volumeMounts: [mount],
});

/** Texts by which someone might add lines to the config file, or end a value early. */
const escapes = [
  `x\nrole_arn = ${foreignRole}`,
  'x\r\n[profile carm-hub]',
  '[profile carm-hub]',
  'x # note',
  'x;',
  'x\u2028y',
] as const;

const configOf = ({ metadata }: StoredPod): string | undefined => metadata.annotations?.[config];

describe('nobody turns the chain of a pod into another', () => {
  let served: ServedPlane;
  const others: PatchingWebhook[] = [];

  before(
    async () => {
      served = await ServedPlane.start({
        map: { [account]: role },
        users: [{ name: rescuer, groups: ['system:masters', 'carm-webhook:break-glass'] }],
        flags: [
          '--credentials=chain',
          `--hub-role-arn=${hub}`,
          '--external-id={account}/{namespace}',
          `--source-accounts=${source}`,
        ],
      });
      const web = { annotations: { 'carm-webhook.dev/credentials': 'web-identity' } };
      await served.apply([
        boundNamespace('shop', account),
        boundNamespace('relaxed', account, { labels: { 'carm-webhook.dev/mode': 'warn' } }),
        boundNamespace('web', account, web),
        boundNamespace('patched', account),
        boundNamespace('stubborn', account),
      ]);
      await served.apply(['shop', 'relaxed', 'web', 'patched', 'stubborn'].map(name => serviceAccount(name, 'app')));
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await Promise.all(others.map(other => other.stop()));
    await served?.stop();
  });

  async function denialOf(objects: readonly object[]): Promise<string> {
    const { stderr } = await served.apply(objects, { expectCode: 1 });
    return stderr;
  }

  const create = async (namespace: string, name: string, fields: PodFields = {}) => {
    await served.apply([pod(namespace, name, fields)]);
    return served.pod(namespace, name);
  };

  describe('by a setting', () => {
    for (const [index, text] of escapes.entries()) {
      test(`that would add to the config: ${JSON.stringify(text)}`, testLimit, async () => {
        const settings = {
          'carm-webhook.dev/external-id': [text, /\(InvalidAnnotation\)/],
          'carm-webhook.dev/hub-role-arn': [`arn:aws:iam::${source}:role/${text}`, /\(InvalidRoleArn\)/],
          'carm-webhook.dev/role': [text, /\(InvalidRoleArn\)/],
        } as const;
        for (const [at, [key, [value, reason]]] of Object.entries(settings).entries()) {
          const name = `escape-${index}-${at}`;
          await served.apply([serviceAccount('shop', name, { [key]: value })]);
          const denial = await denialOf([pod('shop', name, { serviceAccountName: name })]);
          assert.match(denial, reason);
          assert.ok(!denial.includes('\n[profile'), 'what was written is quoted');
          if (key === 'carm-webhook.dev/role') continue;
          const onNamespace = await served.plane.request<{ message: string }>('PATCH', '/api/v1/namespaces/shop', {
            metadata: { annotations: { [key]: value } },
          });
          assert.equal(onNamespace.status, 403);
          assert.match(onNamespace.body.message, reason);
        }
      });
    }

    test("that names a tenant's own hub role", testLimit, async () => {
      const key = 'carm-webhook.dev/hub-role-arn';
      for (const own of [tenantHub, `arn:aws:iam::${account}:role/hub`]) {
        const { stderr } = await served.plane.kubectl(['annotate', 'namespace', 'shop', `${key}=${own}`], {
          expectCode: 1,
        });
        assert.match(stderr, /namespaces\.carm-webhook\.dev.*not in --source-accounts.*\(RoleOutsideAccount\)/);
        await served.apply([serviceAccount('shop', 'own-hub', { [key]: own })]);
        const denial = await denialOf([pod('shop', 'own-hub', { serviceAccountName: 'own-hub' })]);
        assert.match(denial, /not in --source-accounts.*\(RoleOutsideAccount\)/);
      }
    });

    test("that names another account's role as the target", testLimit, async () => {
      await served.apply([serviceAccount('shop', 'foreign', { 'carm-webhook.dev/role': foreignRole })]);
      assert.match(
        await denialOf([pod('shop', 'foreign', { serviceAccountName: 'foreign' })]),
        /\(RoleOutsideAccount\)/,
      );
    });
  });

  describe('by a variable', () => {
    const variables = [
      ['AWS_PROFILE', 'app', /\(CredentialConflict\)/],
      ['AWS_CONFIG_FILE', '/tmp/config', /\(CredentialConflict\)/],
      ['AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE', /\(CredentialConflict\)/],
      ['AWS_ROLE_ARN', foreignRole, /\(RoleOutsideAccount\)/],
      ['AWS_ROLE_ARN', role, /\(CredentialConflict\)/],
    ] as const;
    for (const [name, value, reason] of variables) {
      test(`${name}=${value}`, testLimit, async () => {
        assert.match(
          await denialOf([pod('shop', 'variable', { containers: [containerWith({ name, value })] })]),
          reason,
        );
      });
    }
  });

  describe('by an edit of the running pod', () => {
    const path = (name: string, subresource = '') => `/api/v1/namespaces/shop/pods/${name}${subresource}`;
    const merge = (text: string | null) => ({ metadata: { annotations: { [config]: text } } });
    const denial =
      /pods\.carm-webhook\.dev.*annotation carm-webhook\.dev\/aws-config would be (?:changed|emptied|removed), but the running containers read their AWS config from it.*\(ForgedAnnotation\)/;

    async function assertDenied(name: string, edit: () => Promise<string>): Promise<void> {
      const before = await create('shop', name);
      assert.equal(configOf(before), dueIn('shop'));
      assert.match(await edit(), denial);
      assert.equal(configOf(await served.pod('shop', name)), dueIn('shop'));
    }

    const kubectl = async (args: readonly string[], input?: string) =>
      (await served.plane.kubectl(args, { expectCode: 1, ...(input === undefined ? {} : { input }) })).stderr;
    const calls: readonly (readonly [what: string, edit: (name: string) => Promise<string>])[] = [
      ['kubectl annotate', name => kubectl(['annotate', '--overwrite', 'pod', name, '-n', 'shop', `${config}=other`])],
      [
        'kubectl annotate, to nothing',
        name => kubectl(['annotate', '--overwrite', 'pod', name, '-n', 'shop', `${config}=`]),
      ],
      ['kubectl annotate, its removal', name => kubectl(['annotate', 'pod', name, '-n', 'shop', `${config}-`])],
      [
        'kubectl patch of the status',
        name =>
          kubectl([
            'patch',
            'pod',
            name,
            '-n',
            'shop',
            '--subresource=status',
            '--type=merge',
            '-p',
            JSON.stringify(merge(null)),
          ]),
      ],
      [
        'kubectl apply --server-side',
        name =>
          kubectl(
            ['apply', '--server-side', '--force-conflicts', '-f', '-'],
            JSON.stringify({
              apiVersion: 'v1',
              kind: 'Pod',
              metadata: { name, namespace: 'shop', annotations: { [config]: forgedText } },
            }),
          ),
      ],
      [
        'kubectl replace, without it',
        async name => {
          const { metadata, ...rest } = await served.pod('shop', name);
          return kubectl(
            ['replace', '-f', '-'],
            JSON.stringify({ ...rest, metadata: { ...metadata, annotations: {} } }),
          );
        },
      ],
    ];
    for (const [index, [what, edit]] of calls.entries()) {
      test(what, testLimit, () => assertDenied(`edited-${index}`, () => edit(`edited-${index}`)));
    }

    for (const [index, subresource] of ['/binding', ''].entries()) {
      test(`a Binding that brings a config${subresource === '' ? ', by the older way' : ''}`, testLimit, async () => {
        const name = `bound-${index}`;
        await create('shop', name);
        const bind = async (annotations: object) =>
          served.plane.request<{ message: string }>(
            'POST',
            subresource === '' ? '/api/v1/namespaces/shop/bindings' : path(name, subresource),
            {
              apiVersion: 'v1',
              kind: 'Binding',
              metadata: { name, annotations },
              target: { kind: 'Node', name: 'node-1' },
            },
          );
        for (const text of [forgedText, '']) {
          const { status, body } = await bind({ [config]: text });
          assert.equal(status, 403);
          assert.match(body.message, /it would set annotation carm-webhook\.dev\/aws-config.*\(ForgedAnnotation\)/);
        }
        assert.equal((await bind({ 'scheduler.example/score': '7' })).status, 201);
        assert.equal(configOf(await served.pod('shop', name)), dueIn('shop'));
      });
    }

    test('other ways leave the annotations as they are, and other edits pass', testLimit, async () => {
      await create('shop', 'others');
      // Kubernetes has /resize from 1.33 on.
      const ways = chosenKubernetes() === '1.30' ? ['/ephemeralcontainers'] : ['/ephemeralcontainers', '/resize'];
      for (const subresource of ways) {
        assert.equal((await served.plane.request('PATCH', path('others', subresource), merge('other'))).status, 200);
      }
      const label = { metadata: { labels: { a: 'b' }, annotations: { note: 'x' } } };
      assert.equal((await served.plane.request('PATCH', path('others'), label)).status, 200);
      const status = { status: { message: 'x' } };
      assert.equal((await served.plane.request('PATCH', path('others', '/status'), status)).status, 200);
      assert.equal(configOf(await served.pod('shop', 'others')), dueIn('shop'));
    });

    test('annotations as long as they may be cost the conditions of the webhook no error', testLimit, async () => {
      await create('shop', 'long');
      const [most, half] = ['x'.repeat(255 * 1024), 'x'.repeat(250 * 1024)];
      const ask = async (subresource: string, patch: object) =>
        served.plane.request<{ message: string }>('PATCH', path('long', subresource), patch);
      for (const subresource of ['', '/status']) {
        const { status, body } = await ask(subresource, merge(most));
        assert.equal(status, 403);
        assert.match(body.message, denial);
      }
      assert.equal((await ask('', { metadata: { annotations: { note: half } } })).status, 200);
      assert.equal((await ask('/status', { status: { message: 'x' } })).status, 200);
    });

    test('one that was changed past the webhook can be put right, and only that', testLimit, async () => {
      await create('shop', 'damaged');
      const token = served.plane.tokenOf(rescuer);
      for (const damage of [null, '', forgedText]) {
        assert.equal((await served.plane.request('PATCH', path('damaged'), merge(damage), { token })).status, 200);
        assert.equal((await served.plane.request('PATCH', path('damaged'), merge(`${forgedText}#`))).status, 403);
        assert.equal((await served.plane.request('PATCH', path('damaged'), merge(dueIn('shop')))).status, 200);
      }
      assert.equal(configOf(await served.pod('shop', 'damaged')), dueIn('shop'));
    });

    test('mode warn lets pods pass that enforce would deny, but no edit of a config', testLimit, async () => {
      const applied = await served.apply([
        pod('relaxed', 'conflicting', { containers: [containerWith({ name: 'AWS_PROFILE', value: 'app' })] }),
      ]);
      assert.match(warningsOf(applied).join('\n'), /AWS_PROFILE.*\(CredentialConflict\)/);
      assert.equal(configOf(await served.pod('relaxed', 'conflicting')), undefined);
      assert.equal(configOf(await create('relaxed', 'good')), dueIn('relaxed'));
      const edit = kubectl(['annotate', '--overwrite', 'pod', 'good', '-n', 'relaxed', `${config}=other`]);
      assert.match(await edit, denial);
    });
  });

  describe('by what it is created with', () => {
    test('a config of its own is replaced by the one that is due', testLimit, async () => {
      const alone = await create('shop', 'ready-made', { annotations: { [config]: forgedText } });
      assert.equal(configOf(alone), dueIn('shop'));
      const complete = await create('shop', 'ready-made-volume', {
        annotations: { [config]: forgedText },
        containers: [readsHandMade],
        volumes: [handMade],
      });
      assert.equal(configOf(complete), dueIn('shop'));
    });

    test('where pods use web identity, our volume with a config of its own is denied', testLimit, async () => {
      const fields = { annotations: { [config]: forgedText }, containers: [readsHandMade], volumes: [handMade] };
      assert.match(await denialOf([pod('web', 'ready-made', fields)]), /\((?:VolumeConflict|CredentialConflict)\)/);
      const unread = { annotations: { [config]: forgedText }, volumes: [handMade] };
      assert.match(await denialOf([pod('web', 'unread', unread)]), /\(VolumeConflict\)/);
    });

    test('a later webhook does not get its config in', testLimit, async () => {
      const forge = await PatchingWebhook.start(({ metadata }) =>
        metadata.annotations?.[config] === forgedText
          ? []
          : [{ op: 'add', path: '/metadata/annotations/carm-webhook.dev~1aws-config', value: forgedText }],
      );
      others.push(forge);
      await served.apply([
        forge.configuration('zzz-once', 'patched', 'Never'),
        forge.configuration('zzz-again', 'stubborn', 'IfNeeded'),
      ]);
      const deadline = Date.now() + 20_000;
      for (const [namespace, expected] of [
        // Called once, it has its change undone when our own entry is called again.
        ['patched', undefined],
        ['stubborn', /annotation carm-webhook\.dev\/aws-config is not the config that is due.*\(ForgedAnnotation\)/],
      ] as const) {
        // The API server learns of the configuration a little later.
        for (let attempt = 0; ; attempt += 1) {
          const asked = forge.asked;
          const created = served.apply([pod(namespace, `late-${attempt}`, { annotations: { note: 'x' } })]);
          const failed = await created.then(() => undefined).catch((error: unknown) => error);
          if (forge.asked === asked && Date.now() < deadline) continue;
          assert.ok(forge.asked > asked, 'the other webhook was asked');
          if (expected === undefined) {
            assert.equal(failed, undefined);
            assert.equal(configOf(await served.pod(namespace, `late-${attempt}`)), dueIn(namespace));
          } else {
            assert.ok(failed instanceof KubectlFailed);
            assert.match(failed.message, expected);
          }
          break;
        }
      }
    });
  });
});
