import { version } from '../version.ts';
import type { Command } from './command.ts';
import { readFlags, rejectArguments } from './flags/flag.ts';
import { exitCodes } from './usage-error.ts';

/** `carm-webhook version`. */
export const command: Command = {
  flags: {},
  help: () => 'Usage: carm-webhook version\n\nPrints the version and ends.\n',
  run: async (argv, { env, stdout }) => {
    rejectArguments('version', readFlags({}, argv, env, 'version').positionals);
    stdout.write(`carm-webhook ${version} (Node.js ${process.versions.node})\n`);
    return exitCodes.done;
  },
};
