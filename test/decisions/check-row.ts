import assert from 'node:assert/strict';
import type { Operation } from 'fast-json-patch';
import fastJsonPatch from 'fast-json-patch';
import type { Outcome } from '../../src/admission/record.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import type { Row } from './row.ts';

const { applyPatch, deepClone, getValueByPointer } = fastJsonPatch;

/** The operations of a response's patch. */
export function patchOf(response: AdmissionResponse): Operation[] {
  return response.patch === undefined ? [] : JSON.parse(Buffer.from(response.patch, 'base64').toString());
}

/** The object as the API server would keep it. @throws for a patch that is not valid. */
export function patched<T>(object: T, response: AdmissionResponse): T {
  return applyPatch(deepClone(object), patchOf(response), true, false).newDocument;
}

const deniedStatus: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** What became of a review, as the user sees it. */
function outcomeSeen(response: AdmissionResponse): Outcome {
  const decision = response.auditAnnotations?.['decision'];
  if (!response.allowed) return response.status?.code === 403 ? 'denied' : 'error';
  if (decision === 'deny') return response.warnings === undefined ? 'audited' : 'warned';
  return response.patch === undefined ? 'allowed' : 'mutated';
}

function valueAt(object: unknown, pointer: string): unknown {
  try {
    return getValueByPointer(object, pointer);
  } catch {
    return undefined;
  }
}

const reasonOf = (warning: string): string | undefined => / \(([A-Za-z]+)\)$/.exec(warning)?.[1];

function checkText(text: string): void {
  assert.match(text, /^[\x20-\x7e]*$/, 'one line of ASCII');
  assert.ok(!text.startsWith('Warning:'));
  assert.ok(Buffer.byteLength(text) <= 1024, `${Buffer.byteLength(text)} bytes`);
}

/** Holds an answer against its row. */
export function checkRow(row: Row, response: AdmissionResponse): void {
  const { outcome } = row;
  assert.equal(response.auditAnnotations?.['reason'], row.reason, JSON.stringify(response));
  assert.equal(outcomeSeen(response), outcome, JSON.stringify(response));
  const refused = outcome === 'denied' || outcome === 'error';
  assert.equal(response.allowed, !refused);
  if (refused) {
    const code = row.code ?? 403;
    assert.equal(response.status?.code, code);
    assert.equal(response.status?.reason, deniedStatus[code]);
  } else {
    assert.equal(response.status, undefined);
  }
  assert.equal(response.patchType, response.patch === undefined ? undefined : 'JSONPatch');

  const warnings = [...(response.warnings ?? [])];
  const message = outcome === 'warned' ? warnings.shift() : response.status?.message;
  for (const text of [...warnings, message ?? '']) checkText(text);
  assert.deepEqual(warnings.map(reasonOf), row.warnings ?? [], JSON.stringify(response.warnings));
  const told = [message ?? '', ...warnings].join('\n');
  if (message !== undefined) assert.ok(message.includes(`(${row.reason})`), message);
  for (const part of row.says ?? []) assert.ok(told.includes(part), `${JSON.stringify(part)} is not in: ${told}`);
  for (const part of row.neverSays ?? []) assert.ok(!told.includes(part), `${JSON.stringify(part)} stands in: ${told}`);

  const after = patched(row.review.object, response);
  for (const [pointer, value] of Object.entries(row.after ?? {})) {
    assert.deepEqual(valueAt(after, pointer), value, pointer);
  }
  if (row.accountId !== undefined) assert.equal(response.auditAnnotations?.['account-id'], row.accountId);
  if (row.roleArn !== undefined) assert.equal(response.auditAnnotations?.['role-arn'], row.roleArn);
}
