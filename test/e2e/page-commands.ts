import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { controlPlaneProgram } from '../testbed/binaries.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const blockLimitMs = 120_000;

export interface PageCommandsOptions {
  readonly plane: ControlPlane;
  /** Where the commands run. */
  readonly cwd: string;
  /** The heading of a block that runs before every other one, as in a reader's shell: it sets the variables of the page. */
  readonly names?: string;
  /** Folders with programs beside kubectl. */
  readonly programs?: readonly string[];
}

/** The commands of a page in docs/, in blocks fenced as `sh`, by the heading they stand under. Other fences are for reading. */
export class PageCommands {
  readonly #blocks = new Map<string, string[]>();
  readonly #run = new Set<string>();
  readonly #options: PageCommandsOptions;

  constructor(page: string, options: PageCommandsOptions) {
    this.#options = options;
    const lines = readFileSync(join(import.meta.dirname, '..', '..', 'docs', page), 'utf8').split('\n');
    let heading = '';
    let fence: string | undefined;
    let block: string[] = [];
    for (const line of lines) {
      const marker = /^```(\w*)$/.exec(line);
      if (marker !== null && fence === undefined) {
        fence = marker[1] ?? '';
        block = [];
      } else if (marker !== null) {
        if (fence === 'sh') this.#blocks.set(heading, [...(this.#blocks.get(heading) ?? []), block.join('\n')]);
        fence = undefined;
      } else if (fence !== undefined) {
        block.push(line);
      } else if (line.startsWith('#')) {
        heading = line.replace(/^#+ /, '');
      }
    }
  }

  /** Runs a block under a heading, the first one if nothing else is said, and returns its stdout. It must end with 0. */
  async run(heading: string, variables: Readonly<Record<string, string>> = {}, index = 0): Promise<string> {
    const { plane, cwd, names, programs = [] } = this.#options;
    const block = this.block(heading, index);
    const before = names === undefined || names === heading ? [] : (this.#blocks.get(names) ?? []);
    const script = [...before, block].join('\n');
    this.#run.add(`${heading} ${index}`);
    const path = [...programs, dirname(controlPlaneProgram('kubectl')), process.env['PATH']].join(delimiter);
    const shell = new SupervisedProcess('/bin/sh', ['-eu', '-c', script], {
      cwd,
      env: { ...variables, PATH: path, KUBECONFIG: plane.adminKubeconfig, HOME: cwd },
    });
    const output = Promise.all([read(shell.stdout), read(shell.stderr)]);
    const end = (await shell.wait(blockLimitMs)) ?? (await shell.stop(0));
    const [stdout, stderr] = await output;
    assert.equal(end.code, 0, `${heading}: ${script}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The text of a block under a heading, the first one if nothing else is said. */
  block(heading: string, index = 0): string {
    const block = this.#blocks.get(heading)?.[index];
    if (block === undefined) throw new Error(`the page has no block ${index} of commands under ${heading}`);
    return block;
  }

  /** The blocks that no test has run. */
  get notRun(): readonly string[] {
    const all = [...this.#blocks].flatMap(([heading, blocks]) => blocks.map((_, index) => `${heading} ${index}`));
    return all.filter(block => !this.#run.has(block));
  }
}

async function read(stream: Readable | null): Promise<string> {
  return stream === null ? '' : text(stream);
}
