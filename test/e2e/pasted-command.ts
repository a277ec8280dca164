import { delimiter, dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { controlPlaneProgram } from '../testbed/binaries.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const limitMs = 20_000;

/** Runs a command line as a person who pastes it into a shell does. @returns its exit code and what it said on stderr. */
export async function runPasted(
  plane: ControlPlane,
  command: string,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const path = [dirname(controlPlaneProgram('kubectl')), process.env['PATH']].join(delimiter);
  const shell = new SupervisedProcess('/bin/sh', ['-c', command], {
    env: { PATH: path, KUBECONFIG: plane.adminKubeconfig, HOME: plane.logFolder },
  });
  shell.stdout?.resume();
  const said = shell.stderr === null ? '' : text(shell.stderr);
  const end = (await shell.wait(limitMs)) ?? (await shell.stop(0));
  return { code: end.code, stderr: await said };
}
