import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsModes } from '../../src/injection/credentials-modes.ts';
import { type InjectionSettings, injectPod } from '../../src/injection/inject.ts';
import { webIdentity } from '../../src/injection/web-identity.ts';
import { readPod } from '../../src/objects/pod.ts';

test('each mode has a name of its own', () => {
  const names = credentialsModes.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
});

test('credentials of a mode that is not in the list do not compile: nothing would know them again in a pod', () => {
  const pod = readPod({});
  const token = { audience: 'a', expirationSeconds: 600, regionalSts: true, warning: undefined };
  const known = webIdentity(pod, {
    roleArn: 'r',
    token,
    sessionName: undefined,
    withoutMetadata: false,
    allowsRole: () => true,
  });
  const unlisted = { ...known, mode: { ...known.mode, name: 'unlisted' } } as const;
  const sdk = { region: undefined, regionalSts: true };
  // @ts-expect-error: in no list.
  const settings: InjectionSettings = { credentials: unlisted, sdk };
  assert.ok(injectPod(pod, pod.containers, settings).ok);
});
