import fc from 'fast-check';

const [surrogatesFrom, surrogates] = [0xd800, 0x800];

/**
 * Any code point, for `fc.string({ unit: anyCharacter })`. fast-check's own `unit: 'binary'` is the same, but it makes a
 * table of a million characters first, which takes each process a second.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates }).map(
  index => String.fromCodePoint(index < surrogatesFrom ? index : index + surrogates),
  // By this it also makes texts of `__proto__` and its like.
  text => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (point === undefined || String.fromCodePoint(point) !== text) throw new Error('not one character');
    return point < surrogatesFrom ? point : point - surrogates;
  },
);
