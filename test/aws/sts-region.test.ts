import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { partitionOfRegion, partitions } from '../../src/accounts/partition.ts';
import { stsRegionFor } from '../../src/aws/sts-region.ts';

const nowhere = { ofNamespace: undefined, ofFlag: undefined };

describe('the region whose STS is asked', () => {
  test("that of the namespace, else the flag's, as pods get it", () => {
    assert.equal(stsRegionFor('aws', { ofNamespace: 'eu-west-1', ofFlag: 'us-east-2' }), 'eu-west-1');
    assert.equal(stsRegionFor('aws', { ofNamespace: '', ofFlag: 'us-east-2' }), 'us-east-2');
  });

  test('without one, or with one of another partition, one where the role can be taken', () => {
    for (const partition of partitions) {
      assert.equal(partitionOfRegion(stsRegionFor(partition, nowhere)), partition);
      const wrong = partition === 'aws' ? 'cn-north-1' : 'eu-west-1';
      assert.equal(partitionOfRegion(stsRegionFor(partition, { ofNamespace: wrong, ofFlag: undefined })), partition);
    }
  });

  test('what has not the form of a region gets into no host name', () => {
    const ofNamespace = 'evil.example/#';
    assert.equal(stsRegionFor('aws', { ofNamespace, ofFlag: undefined }), 'us-east-1');
  });
});
