import type { Command, Surroundings } from '../command.ts';
import { clusterFlags, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import { describeFlags, readFlags, rejectArguments } from '../flags/flag.ts';
import { openSource } from '../sources/open-source.ts';
import { alignColumns } from '../table.ts';
import { exitCodes } from '../usage-error.ts';
import { findAll } from './find-all.ts';
import { type Finding, sortFindings } from './finding.ts';
import { findInInstallation } from './installation/installation-findings.ts';
import { findRunningPods } from './pod-findings.ts';

const checkFlags = { output: outputFlag(['table', 'json']), ...clusterFlags, ...configFlags } as const;

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function tableOf(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no findings\n';
  const rows = findings.map(({ severity, reason, object: { kind, namespace, name } }) => [
    severity.toUpperCase(),
    reason,
    `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`,
  ]);
  const [head = '', ...lines] = alignColumns([['SEVERITY', 'REASON', 'OBJECT'], ...rows]);
  const entries = lines.map((line, index) => {
    const { message = '', fix = '' } = findings[index] ?? {};
    return `${line}\n    ${message}\n    Fix: ${fix}`;
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const sum = `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`;
  return `${[head, ...entries, '', sum].join('\n')}\n`;
}

async function check(argv: readonly string[], { env, stdout, stderr }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(checkFlags, argv, env, 'check');
  rejectArguments('check', positionals);
  const config = configFrom(values, env);
  await using source = await openSource(values, config);
  const tell = (line: string) => stderr.write(`${line}\n`);
  const snapshot = await source.snapshot(why => tell(`not checked: ${why}`));
  const ofPods = await findRunningPods(source, snapshot, config, tell);
  const { installation } = source;
  const ofInstallation = installation && (await findInInstallation(installation, snapshot, config, tell));
  const findings = sortFindings([...findAll(snapshot, config, tell), ...ofPods, ...(ofInstallation ?? [])]);
  stdout.write(values.output === 'json' ? `${JSON.stringify({ findings }, undefined, 2)}\n` : tableOf(findings));
  return findings.length > 0 ? exitCodes.denied : exitCodes.done;
}

/** `carm-webhook check`: what is wrong with maps, namespaces, ServiceAccounts, ACK and its resources, and running pods. */
export const command: Command = {
  flags: checkFlags,
  help: () => `Usage: carm-webhook check [flags]

Checks the account map, the team map, all namespaces, the ServiceAccounts of managed namespaces,
ACK resources, the flags of ACK's controllers, which running pods lack the role that they would get
today, and the installation of the webhook: configurations, certificate and rights. Each finding has
a reason, an object and a fix. The exit code is 1 if there are findings.

It needs the right to list namespaces and serviceaccounts, and to get the two maps. What else it may
not read is named on stderr and skipped. The ClusterRole carm-webhook-reader of deploy/ has every
right that it uses, except those to read the Secret of the certificate and to ask for the rights of
the webhook.

Examples:
  carm-webhook check --context production
  carm-webhook check --state cluster/ --feature-gates=TeamLevelCARM=true -o json

${describeFlags(checkFlags, checkFlags.output)}`,
  run: check,
};
