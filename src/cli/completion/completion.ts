import type { Command } from '../command.ts';
import { echo, readFlags } from '../flags/flag.ts';
import { exitCodes, UsageError } from '../usage-error.ts';
import { scripts, shells } from './scripts.ts';

/** `carm-webhook completion`: the script that has a shell complete commands, flags and their values. */
export const command: Command = {
  flags: {},
  words: shells,
  help: () => `Usage: carm-webhook completion bash|zsh|fish

Prints the script by which a shell completes commands, flags and what their values can be. The shell
then asks carm-webhook itself, so the script never needs to be renewed. kubectl needs none: beside
kubectl-carm it finds kubectl_complete-carm, which is the same program.

Examples:
  source <(carm-webhook completion bash)
  carm-webhook completion fish > ~/.config/fish/completions/carm-webhook.fish
`,
  run: async (argv, { env, stdout }) => {
    const { positionals } = readFlags({}, argv, env, 'completion');
    const [given, ...more] = positionals;
    const shell = shells.find(name => name === given);
    if (shell === undefined || more.length > 0) {
      const said = given === undefined ? '' : `, not ${echo(positionals.join(' '))}`;
      throw new UsageError(`completion takes one of: ${shells.join(', ')}${said}`);
    }
    stdout.write(scripts[shell]);
    return exitCodes.done;
  },
};
