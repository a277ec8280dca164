import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The texts of a page in docs/ that are fenced with one language, by the heading they stand under, in their order. */
export function pageBlocks(page: string, language: string): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', page), 'utf8');
  const blocks = new Map<string, readonly string[]>();
  for (const section of text.split(/^(?=#+ )/m)) {
    const heading = /^#+ (.+)/.exec(section)?.[1] ?? '';
    const found = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
    const texts = found.flatMap(([, fence, body = '']) => (fence === language ? [body] : []));
    if (texts.length > 0) blocks.set(heading, texts);
  }
  return blocks;
}
