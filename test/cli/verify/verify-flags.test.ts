import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand } from '../command-runs.ts';

/** Arguments, environment, what is said. */
const rows: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
  [['--state', 'cluster'], {}, /^verify cannot be combined with --state: it needs tokens, which only a cluster gives$/],
  [[], { CARM_WEBHOOK_STATE: 'cluster' }, /^verify cannot be combined with --state/],
  [['--all', '-n', 'team-a'], {}, /^--all cannot be combined with --namespace and --serviceaccount$/],
  [['--all', '--serviceaccount=app'], {}, /^--all cannot be combined/],
  [['--serviceaccount', '../pods'], {}, /^--serviceaccount "\.\.\/pods" is not the name of a ServiceAccount$/],
  [['--timeout', '0'], {}, /^--timeout "0" is shorter than 1s$/],
  [['team-a'], {}, /^verify takes no argument "team-a"$/],
  [[], { AWS_ENDPOINT_URL_STS: 'ftp://sts' }, /^AWS_ENDPOINT_URL_STS "ftp:\/\/sts" is not an http or https URL$/],
  [[], { AWS_ENDPOINT_URL_STS: 'sts' }, /^AWS_ENDPOINT_URL_STS "sts" is not an http or https URL$/],
];

describe('flags of verify', () => {
  for (const [argv, env, said] of rows) {
    test(`${JSON.stringify(env)} ${argv.join(' ')}: exit 2, one line`, async () => {
      const { code, stdout, stderr } = await runCommand(['verify', ...argv], { env });
      assert.deepEqual([code, stdout], [2, '']);
      const lines = stderr.split('\n');
      assert.equal(lines.length, 2);
      assert.match((lines[0] ?? '').replace('carm-webhook: ', ''), said);
    });
  }
});
