import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AdmissionResponse, answerText } from '../../src/admission/response.ts';

test('an answer is the JSON of an AdmissionReview with its response', () => {
  const response = fc.record(
    {
      uid: fc.string(),
      allowed: fc.boolean(),
      warnings: fc.array(fc.string()),
      patchType: fc.constant('JSONPatch' as const),
      patch: fc.string().map(text => Buffer.from(text).toString('base64')),
      auditAnnotations: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: ['uid', 'allowed'] },
  );
  fc.assert(
    fc.property(response, given => {
      const expected = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: given };
      assert.deepEqual(JSON.parse(answerText(given as AdmissionResponse)), JSON.parse(JSON.stringify(expected)));
    }),
  );
});
