import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';

type Style = 'bold' | 'red' | 'green' | 'cyan' | 'yellow' | 'dim';

/** Whether to colour: on a terminal, or where FORCE_COLOR asks for it; never with NO_COLOR (https://no-color.org). */
export function wantsColour(env: NodeJS.ProcessEnv, stream: Pick<WriteStream, 'isTTY'>): boolean {
  if (env['NO_COLOR']) return false;
  const { FORCE_COLOR: forced } = env;
  return forced === undefined ? stream.isTTY === true : forced !== '0' && forced !== 'false';
}

/** Lines for a terminal. */
export class Terminal {
  readonly #write: (text: string) => void;
  readonly #coloured: boolean;

  constructor(write: (text: string) => void, coloured: boolean) {
    this.#write = write;
    this.#coloured = coloured;
  }

  paint(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text, { validateStream: false }) : text;
  }

  line(text = ''): void {
    this.#write(`${text}\n`);
  }

  /** The difference of two objects, as YAML. */
  diff(before: unknown, after: unknown): void {
    const [old, now] = [before, after].map(object => stringify(object, { lineWidth: 0 }));
    const patch = createTwoFilesPatch('', '', old ?? '', now ?? '', '', '', { context: 4 });
    for (const line of patch.trimEnd().split('\n').slice(4)) {
      const style: Style | undefined = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : undefined;
      this.line(`  ${style === undefined ? line : this.paint(style, line)}`);
    }
  }
}
