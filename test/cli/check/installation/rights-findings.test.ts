import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { ackServices } from '../../../../src/accounts/ack-services.ts';
import { defaultConfig } from '../../../../src/admission/config.ts';
import { findMissingRights, neededRights } from '../../../../src/cli/check/installation/rights-findings.ts';
import type { AskedRight, InstallationSource } from '../../../../src/cli/sources/installation-source.ts';
import { inRepository } from '../../command-runs.ts';

const gates = { ...defaultConfig.featureGates, IAMRoleSelector: true };
const serviceAccount = { namespace: 'carm-webhook', name: 'carm-webhook' };

interface Granted {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** The rights that deploy/ gives the webhook, one by one. */
function granted(): readonly AskedRight[] {
  const files = readdirSync(inRepository('deploy')).filter(file => file.endsWith('.yaml'));
  const objects = files.flatMap(file =>
    parseAllDocuments(readFileSync(join(inRepository('deploy'), file), 'utf8')).map(each => each.toJS() as Granted),
  );
  const roles = objects.filter(({ kind, metadata }) => kind.endsWith('Role') && metadata.name === 'carm-webhook');
  return roles.flatMap(({ metadata: { namespace }, rules }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap(group =>
        resources.flatMap(resource =>
          resourceNames.flatMap(name =>
            verbs.map(verb => ({ group, resource, verb, ...(namespace && { namespace }), ...(name && { name }) })),
          ),
        ),
      ),
    ),
  );
}

const inOrder = (rights: readonly AskedRight[]) =>
  rights.map(right => JSON.stringify(right, Object.keys(right).sort())).sort();

/** A cluster where a right is given or not, and what was asked. */
function clusterWith(isAllowed: (right: AskedRight) => boolean) {
  const asked: AskedRight[] = [];
  const installation = {
    ackGroups: async () => new Map([['s3.services.k8s.aws', 'buckets']]),
    isAllowed: async (_: unknown, right: AskedRight) => {
      asked.push(right);
      return isAllowed(right);
    },
  } as unknown as InstallationSource;
  return { installation, asked };
}

describe('the rights of the webhook', () => {
  test('are asked for as deploy/ gives them', () => {
    const groups = new Map(ackServices.map(service => [`${service}.services.k8s.aws`, '*']));
    assert.deepEqual(inOrder(neededRights({ ...defaultConfig, featureGates: gates }, groups)), inOrder(granted()));
  });

  test('are no finding where there are all of them', async () => {
    const { installation, asked } = clusterWith(() => true);
    assert.deepEqual(await findMissingRights(installation, serviceAccount, defaultConfig), []);
    assert.equal(asked.length, 13);
  });

  test('are asked for in each ACK system namespace', async () => {
    const ackSystems = ['ack-system', 'acks'].map(namespace => ({ namespace, services: undefined }));
    const config = { ...defaultConfig, ackSystems: [ackSystems[0], ackSystems[1]] as never };
    const { installation } = clusterWith(({ namespace }) => namespace !== 'acks');
    const [found, ...more] = await findMissingRights(installation, serviceAccount, config);
    assert.deepEqual(more, []);
    assert.deepEqual(found?.object, { kind: 'ServiceAccount', ...serviceAccount });
    assert.match(found?.message ?? '', /^the webhook may not: get configmaps\/ack-role-account-map in acks, list /);
  });

  test('that are missing are one finding, of which a few are named', async () => {
    const { installation } = clusterWith(() => false);
    const [found, ...more] = await findMissingRights(installation, serviceAccount, defaultConfig);
    assert.deepEqual(more, []);
    assert.match(found?.message ?? '', /^the webhook may not: get namespaces, list namespaces, .* and 5 more$/);
  });

  test('are more with --authorize-bindings', async () => {
    const { installation } = clusterWith(({ resource }) => resource !== 'subjectaccessreviews');
    assert.deepEqual(await findMissingRights(installation, serviceAccount, defaultConfig), []);
    const [found] = await findMissingRights(installation, serviceAccount, {
      ...defaultConfig,
      authorizeBindings: true,
    });
    assert.match(found?.message ?? '', /^the webhook may not: create subjectaccessreviews.authorization.k8s.io$/);
  });

  test('without the right to ask, one is asked for', async () => {
    const { installation, asked } = clusterWith(() => {
      throw new Error('403');
    });
    await assert.rejects(findMissingRights(installation, serviceAccount, defaultConfig), /403/);
    assert.equal(asked.length, 1);
  });
});
