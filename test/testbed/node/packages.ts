import { text } from 'node:stream/consumers';
import { SupervisedProcess } from '../supervised-process.ts';
import { missingPackages, NodeRequirementMissing, requireNode, requireRoot } from './requirements.ts';

const aptLimitMs = 600_000;

/** Runs apt-get; what it said is in the error. @throws {NodeRequirementMissing} */
async function apt(args: readonly string[]): Promise<void> {
  const command = new SupervisedProcess('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  const output = Promise.all([command.stdout, command.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await command.wait(aptLimitMs);
  // dpkg, which it started, may hold the output open: it is not waited for then.
  if (end === undefined) {
    await command.stop();
    throw new NodeRequirementMissing(`apt-get ${args.join(' ')} has not ended after ${aptLimitMs / 60_000} minutes`);
  }
  const said = (await output).join('').trim().split('\n').slice(-5).join('\n');
  if (end.code !== 0) throw new NodeRequirementMissing(`apt-get ${args.join(' ')} failed:\n${said}`);
}

async function hasApt(): Promise<boolean> {
  const command = new SupervisedProcess('apt-get', ['--version']);
  command.stdout?.resume();
  command.stderr?.resume();
  return (await command.wait(10_000))?.code === 0;
}

/**
 * Installs the Debian packages that a node needs and this machine lacks. Without apt it says which programs are missing.
 * @throws {NodeRequirementMissing}
 */
export async function installNodePackages(report: (line: string) => void): Promise<void> {
  requireRoot();
  const missing = missingPackages();
  if (missing.length > 0 && (await hasApt())) {
    report(`installing Debian packages: ${missing.join(' ')}`);
    await apt(['update']);
    await apt(['install', '--yes', '--no-install-recommends', ...missing]);
  }
  requireNode();
}
