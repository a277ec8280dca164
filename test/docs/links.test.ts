import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';

const root = resolve(import.meta.dirname, '..', '..');
const notOurs: ReadonlySet<string> = new Set(['.git', 'coverage', 'dist', 'node_modules']);
/** Far more than there are: a folder that does not belong here is not walked for ever. */
const mostPages = 500;

/** Every markdown file of the repository, by its path from the root. */
function markdownPages(folder = root, found: string[] = []): readonly string[] {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (notOurs.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) markdownPages(path, found);
    else if (entry.isFile() && entry.name.endsWith('.md')) found.push(relative(root, path));
    assert.ok(found.length <= mostPages, `more than ${mostPages} pages`);
  }
  return found;
}

/** A page without its code, which may look like links and headings. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8').replace(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, '');
}

/** The anchors that GitHub makes of headings: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(page).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{Letter}\p{Number}\p{Mark}\-_ ]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/** The relative links of a page, targets of images and of reference definitions included. */
function linksOf(page: string): readonly string[] {
  const text = prose(page).replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g), ...text.matchAll(/^\[[^\]]+\]: +(\S+)/gm)];
  return targets.map(([, target = '']) => target).filter(target => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

const pages = markdownPages();

describe('links between the pages of the repository', () => {
  for (const page of pages) {
    test(`${page}: every file and heading that it links to is there`, () => {
      for (const link of linksOf(page)) {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : relative(root, resolve(root, dirname(page), decodeURIComponent(path)));
        assert.ok(!target.startsWith('..'), `${link} leads out of the repository`);
        assert.ok(statSync(join(root, target), { throwIfNoEntry: false }), `${link}: no such file`);
        if (anchor !== undefined) assert.ok(anchorsOf(target).has(anchor), `${link}: no such heading`);
      }
    });
  }

  test('README.md links to every page of docs/, or to the index of its folder', () => {
    const linked = new Set(linksOf('README.md').map(link => link.split('#')[0]));
    const missing = pages.filter(page => /^docs\/[^/]+\.md$/.test(page) && !linked.has(page));
    assert.deepEqual(missing, []);
  });

  test('docs/design/README.md lists every decision', () => {
    const linked = new Set(linksOf('docs/design/README.md'));
    const records = pages.flatMap(page => /^docs\/design\/(\d{4}-.+\.md)$/.exec(page)?.[1] ?? []);
    assert.deepEqual(
      records.filter(record => !linked.has(record)),
      [],
    );
  });
});

test('README.md has fewer than 150 lines', () => {
  assert.ok(readFileSync(join(root, 'README.md'), 'utf8').trimEnd().split('\n').length < 150);
});
