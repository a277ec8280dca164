import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { reasonGroups } from '../../../src/admission/catalogue/reasons.ts';
import { renderReasonsPage } from './reasons-page.ts';

const page = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8');

describe('docs/reasons.md', () => {
  test('is what the catalogue says (to write it: make docs)', () => {
    assert.equal(page, renderReasonsPage());
  });

  test('has one heading for each reason and warning, and none besides', () => {
    const headings = [...page.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings.toSorted(), Object.values(reasonGroups).flatMap(Object.keys).toSorted());
  });

  test('says who can fix each denial, and how', () => {
    for (const reason of Object.keys(reasonGroups.denied)) {
      const section = page.split(`### ${reason}\n`)[1]?.split('\n### ')[0] ?? '';
      assert.match(section, /\nWho can fix it: (?:you|your platform team)/, reason);
      assert.match(section, /\nHow: \S/, reason);
    }
  });
});
