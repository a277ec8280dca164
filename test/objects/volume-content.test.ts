import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readVolumeContent } from '../../src/objects/volume-content.ts';

const kubelet = { from: 'kubelet', readOnly: false };
const emptyDir = { from: 'emptyDir', readOnly: false };
const writable = { from: 'elsewhere', readOnly: false };
const readOnly = { from: 'elsewhere', readOnly: true };

describe('the content of a volume comes from', () => {
  const table: readonly [what: string, source: Readonly<Record<string, unknown>>, expected: object][] = [
    ['kubelet: secret', { secret: {} }, kubelet],
    ['kubelet: configMap', { configMap: {} }, kubelet],
    ['kubelet: downwardAPI', { downwardAPI: {} }, kubelet],
    ['kubelet: projected', { projected: {} }, kubelet],
    ['kubelet, whatever a later API has beside it', { future: { readOnly: true }, secret: {} }, kubelet],
    ['nobody: emptyDir', { emptyDir: {} }, emptyDir],
    ['nobody: no source', {}, emptyDir],
    ['nobody: a source that is null', { hostPath: null }, emptyDir],
    ['elsewhere: hostPath', { hostPath: { path: '/' } }, writable],
    ['elsewhere: a claim', { persistentVolumeClaim: { claimName: 'x', readOnly: false } }, writable],
    ['elsewhere, read-only: a claim', { persistentVolumeClaim: { claimName: 'x', readOnly: true } }, readOnly],
    ['elsewhere, read-only: nfs', { nfs: { readOnly: true } }, readOnly],
    ['elsewhere, read-only: an image', { image: { reference: 'x' } }, readOnly],
    ['elsewhere, by a text that is no boolean', { csi: { readOnly: 'true' } }, writable],
    ['elsewhere: a kind that is not known', { future: {} }, writable],
  ];
  for (const [what, source, expected] of table) {
    test(what, () => assert.deepEqual(readVolumeContent({ name: 'data', ...source }), expected));
  }
});
