import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnreachable } from '../../src/aws/why-unreachable.ts';

const failed = (code: string, name = 'Error') => Object.assign(new Error('secret'), { code, name });

test('why an endpoint was not reached, without the text of the error', () => {
  const rows: readonly (readonly [Error, string])[] = [
    [failed('ENOTFOUND'), 'DNS does not know the name of the endpoint'],
    [failed('CERT_HAS_EXPIRED'), 'the TLS certificate of the endpoint is not trusted (CERT_HAS_EXPIRED)'],
    [
      failed('SELF_SIGNED_CERT_IN_CHAIN'),
      'the TLS certificate of the endpoint is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
    [failed('ERR_SSL_WRONG_VERSION_NUMBER'), 'TLS with the endpoint failed'],
    [failed('HPE_INVALID_CONSTANT'), 'the endpoint does not speak HTTP'],
    [failed('', 'TimeoutError'), 'no answer in time'],
    [new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')]), 'the connection was refused'],
    [new AggregateError([]), 'the connection failed'],
  ];
  for (const [error, text] of rows) assert.equal(whyUnreachable(error), text);
  for (const other of [new TypeError('x'), failed('toString'), 'text', undefined])
    assert.equal(whyUnreachable(other), undefined);
});
