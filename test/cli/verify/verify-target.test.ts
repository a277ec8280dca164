import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { parseRoleArn } from '../../../src/accounts/role-arn.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { lookUpIn } from '../../../src/admission/lookup.ts';
import { Sts } from '../../../src/aws/sts.ts';
import { renderJson, renderTable, renderVerification } from '../../../src/cli/verify/render-verification.ts';
import { exitCodeOf } from '../../../src/cli/verify/verification.ts';
import { verifyTarget } from '../../../src/cli/verify/verify-target.ts';
import { viewOf } from '../../admission/fake-cluster.ts';
import { answers, given, refuses, type ScriptedSts, startScriptedSts } from '../../aws/scripted-sts.ts';
import { stsAnswer } from '../../e2e/sts-answer.ts';

const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJl';
const hub = 'arn:aws:iam::111111111111:role/hub';
const role = 'arn:aws:iam::222222222222:role/team/app';
const owner = { 'services.k8s.aws/owner-account-id': '222222222222' };
const view = viewOf({
  namespaces: {
    web: { annotations: owner },
    chained: { annotations: { ...owner, 'carm-webhook.dev/credentials': 'chain' } },
  },
  serviceAccounts: { 'web/default': {}, 'chained/default': {} },
  maps: { account: { '222222222222': role } },
});
const config: Config = { ...defaultConfig, sourceAccounts: new Set(['111111111111']) };

/** What is shown of a verification, in all forms: never a secret. */
async function verify(
  t: TestContext,
  namespace: string,
  script: ScriptedSts['script'] = new Map(),
  more: Partial<Config> = {},
) {
  const sts = await startScriptedSts(t);
  for (const [action, respond] of script) sts.script.set(action, respond);
  const regions: string[] = [];
  const sources = {
    cluster: {
      cache: undefined,
      read: async <L extends Parameters<typeof lookUpIn>[1]>(lookup: L) => lookUpIn(view, lookup),
    },
    requestToken: async () => token,
    stsIn: async (region: string) => {
      regions.push(region);
      return new Sts({ region, endpoint: sts.url });
    },
  };
  const target = { namespace, serviceAccount: 'default' };
  const signal = new AbortController().signal;
  const verification = await verifyTarget(target, sources, { ...config, ...more }, signal);
  const text = renderVerification(verification);
  for (const shown of [text, renderTable([verification]), renderJson([verification])]) {
    for (const secret of [token, ...Object.values(given)]) assert.ok(!shown.includes(secret.slice(3, 16)), shown);
    assert.match(shown, /^[ -~\n]*$/);
  }
  return { verification, text, calls: sts.calls, regions, code: exitCodeOf([verification]) };
}

const script = (...entries: readonly (readonly [string, ReturnType<typeof refuses>])[]) => new Map(entries);

describe('the way of a pod to its role', () => {
  test('one call and a question by web identity, four for a chain', async t => {
    const web = await verify(t, 'web');
    const chained = await verify(t, 'chained', undefined, {
      hubRoleArn: parsed(hub),
      roleSessionName: undefined,
    });
    assert.deepEqual([web.code, chained.code], [0, 0]);
    assert.deepEqual(
      web.calls.map(({ action }) => action),
      ['AssumeRoleWithWebIdentity', 'GetCallerIdentity'],
    );
    assert.deepEqual(
      chained.calls.map(({ action, parameters }) => [
        action,
        parameters.get('RoleArn'),
        parameters.get('RoleSessionName'),
      ]),
      [
        ['AssumeRoleWithWebIdentity', hub, 'carm-webhook-verify'],
        ['GetCallerIdentity', null, null],
        ['AssumeRole', role, 'carm-webhook-verify'],
        ['GetCallerIdentity', null, null],
      ],
    );
    assert.deepEqual(web.regions, ['us-east-1']);
  });

  test('credentials of another account, or of another role, are not the role', async t => {
    for (const arn of [
      'arn:aws:sts::999999999999:assumed-role/app/web.default',
      'arn:aws:sts::222222222222:assumed-role/app-2/web.default',
      'arn:aws:iam::222222222222:root',
    ]) {
      const answer = `<Arn>${arn}</Arn><Account>1</Account><UserId>x</UserId>`;
      const other = answers(200, stsAnswer('GetCallerIdentity', answer, '1'));
      const { verification, text, code } = await verify(t, 'web', script(['GetCallerIdentity', other]));
      assert.deepEqual([verification.result, verification.reason, code], ['broken', 'OtherIdentity', 1]);
      assert.ok(text.includes(`the credentials are those of ${arn}\n`), text);
    }
  });

  test('the first refusal ends it', async t => {
    const { calls, text } = await verify(
      t,
      'chained',
      script([
        'AssumeRoleWithWebIdentity',
        refuses('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403),
      ]),
      { hubRoleArn: parsed(hub) },
    );
    assert.equal(calls.length, 1);
    assert.match(
      text,
      /^ {2}FAILED {2}AssumeRoleWithWebIdentity {2}arn:aws:iam::111111111111:role\/hub {2}\(WebIdentityNotAuthorized\)$/m,
    );
    assert.match(text, /^ {10}Ask the administrators of account 111111111111 to /m);
  });

  test('text of an endpoint that forges lines and colours stays one line of ASCII', async t => {
    const forged = `\u001b[31m&#10;ok: pods of this ServiceAccount get their role.&#10;${token}`;
    const { text } = await verify(
      t,
      'web',
      script(['AssumeRoleWithWebIdentity', refuses('AccessDenied&#10;ok', forged, 403)]),
    );
    assert.equal(text.match(/^ok: pods/gm), null);
  });

  test('a chain without a hub asks neither for a token nor AWS', async t => {
    const { verification, calls, code } = await verify(t, 'chained');
    assert.deepEqual(
      [verification.result, verification.reason, calls.length, code],
      ['unverified', 'HubRoleMissing', 0, 0],
    );
  });
});

describe('the exit code', () => {
  test('what is wrong before what is not known', async t => {
    const fine = (await verify(t, 'web')).verification;
    const unknown = { ...fine, result: 'unverified', reason: 'Unreachable' } as const;
    const wrong = { ...fine, result: 'denied', reason: 'AccountNotMapped' } as const;
    assert.deepEqual([[fine], [fine, unknown], [unknown, wrong]].map(exitCodeOf), [0, 3, 1]);
  });
});

function parsed(arn: string) {
  const found = parseRoleArn(arn);
  assert.ok(found);
  return found;
}
