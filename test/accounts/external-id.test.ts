import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExternalIdTemplate, isExternalId } from '../../src/accounts/external-id.ts';

const values = { account: '111122223333', namespace: 'shop', serviceAccount: 'web.app' };
const idBy = (template: string, more: Partial<typeof values> = {}) =>
  ExternalIdTemplate.parse(template).idFor({ ...values, ...more });

describe('an external id', () => {
  for (const [template, id] of [
    ['{account}/{namespace}', '111122223333/shop'],
    ['{serviceAccount}', 'web.app'],
    ['a=b:c/d@e,f+g-h', 'a=b:c/d@e,f+g-h'],
    ['{account}{account}', '111122223333111122223333'],
    ['ab', 'ab'],
    ['x'.repeat(1224), 'x'.repeat(1224)],
  ] as const) {
    test(`${template.slice(0, 40)} is ${id.slice(0, 40)}`, () => assert.equal(idBy(template), id));
  }

  test('of a single character is none', () => {
    assert.equal(idBy('{namespace}', { namespace: 'a' }), undefined);
    assert.equal(idBy('{namespace}-', { namespace: 'a' }), 'a-');
  });
});

describe('a template is not taken', () => {
  for (const template of [
    '',
    'x',
    'a b',
    'a#b',
    'a;b',
    '[a]',
    'ab\n',
    'a\nb',
    'a\\b',
    'éé',
    '{pod}',
    '{Account}',
    '{account',
    '{{account}}',
    'x'.repeat(1225),
    // 12 + 1213 for the longest account.
    `{account}${'x'.repeat(1213)}`,
    '{serviceAccount}'.repeat(5),
  ]) {
    test(JSON.stringify(template.slice(0, 40)), () =>
      assert.throws(() => ExternalIdTemplate.parse(template), /^Error: (?:contains|is) /),
    );
  }
  test('but one that just fits', () => assert.equal(idBy(`{account}${'x'.repeat(1212)}`)?.length, 1224));
});

test('whatever a tenant writes as a template, STS takes what comes of it, and no line ends in it', () => {
  const names = fc.record({
    account: fc.constant('111122223333'),
    namespace: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
    serviceAccount: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
  });
  const part = fc.oneof(fc.string(), fc.constantFrom('{account}', '{namespace}', '{serviceAccount}', '\n', '[', 'ab'));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), names, (parts, pod) => {
      let template: ExternalIdTemplate;
      try {
        template = ExternalIdTemplate.parse(parts.join(''));
      } catch {
        return;
      }
      const id = template.idFor(pod);
      if (id === undefined) assert.ok(parts.length > 0);
      else assert.ok(isExternalId(id) && /^[\w+=,.@:/-]{2,1224}$/.test(id), id);
    }),
  );
});
