import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCidr } from '../../src/server/cidr.ts';
import { Peers } from '../../src/server/peers.ts';

describe('a range of addresses', () => {
  const rows = [
    ['10.0.0.0/16', { address: '10.0.0.0', prefix: 16, family: 'ipv4' }],
    ['10.1.2.3', { address: '10.1.2.3', prefix: 32, family: 'ipv4' }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 'ipv4' }],
    ['2001:db8::/32', { address: '2001:db8::', prefix: 32, family: 'ipv6' }],
    ['2001:db8::1', { address: '2001:db8::1', prefix: 128, family: 'ipv6' }],
    ['::ffff:10.0.0.0/112', { address: '10.0.0.0', prefix: 16, family: 'ipv4' }],
  ] as const;
  for (const [text, cidr] of rows) test(text, () => assert.deepEqual(parseCidr(text), cidr));

  for (const text of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    'fe80::1%eth0/64',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '/8',
    'a/8',
    '10.0.0.0/-1',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseCidr(text), undefined));
  }
});

function peersOf(...texts: readonly string[]): Peers {
  return new Peers(texts.map(text => parseCidr(text) ?? assert.fail(text)));
}

describe('a peer', () => {
  test('is trusted by its address, IPv4 also when it comes mapped into IPv6', () => {
    const peers = peersOf('10.0.0.0/16', '2001:db8::/32');
    const trusted = ['10.0.255.1', '::ffff:10.0.0.1', '::FFFF:10.0.0.1', '2001:db8:1::1'];
    const strangers = ['10.1.0.1', '::ffff:10.1.0.1', '2001:db9::1', undefined, 'nonsense'];
    assert.deepEqual(
      trusted.filter(address => !peers.of(address).trusted),
      [],
    );
    assert.deepEqual(
      strangers.filter(address => peers.of(address).trusted),
      [],
    );
  });

  test('everybody is a stranger without ranges, and nobody with all of them', () => {
    assert.equal(new Peers().of('10.0.0.1').trusted, false);
    const all = peersOf('0.0.0.0/0', '::/0');
    assert.ok(all.of('10.0.0.1').trusted && all.of('2001:db8::1').trusted);
  });

  test('has one share with all of its /64, and with its address mapped into IPv6', () => {
    const { of } = { of: (address: string) => new Peers().of(address).share };
    assert.equal(of('2001:db8:0:1::1'), of('2001:db8:0:1:ffff::2'));
    assert.equal(of('2001:db8::1'), of('2001:db8:0:0:5::'));
    assert.notEqual(of('2001:db8:0:1::1'), of('2001:db8:0:2::1'));
    assert.equal(of('::ffff:10.0.0.1'), of('10.0.0.1'));
    assert.notEqual(of('10.0.0.1'), of('10.0.0.2'));
  });
});
