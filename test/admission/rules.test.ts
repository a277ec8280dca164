import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ackCommonGroup } from '../../src/accounts/ack-service.ts';
import { ackServices } from '../../src/accounts/ack-services.ts';
import { allow, mutate } from '../../src/admission/decision.ts';
import type { Endpoint } from '../../src/admission/record.ts';
import { webhookEntries } from '../../src/admission/record.ts';
import type { AdmissionRequest, Operation } from '../../src/admission/review.ts';
import { defineRule, everyAckGroup, type Rule } from '../../src/admission/rule.ts';
import { matchOfKind, notApplicable, ruleFor, rules } from '../../src/admission/rules.ts';
import { workloadKinds } from '../../src/objects/pod-template.ts';
import { shipped } from '../deploy/shipped.ts';

/** One thing that the API server sends: of an entry, to a path, one operation on one resource of one group. */
interface Sent {
  readonly webhook: string;
  readonly path: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
  readonly operation: string;
}

interface Entry {
  readonly name: string;
  readonly clientConfig: { readonly service: { readonly path: string } };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly operations: readonly string[];
  }[];
}

const entries = ['Mutating', 'Validating'].flatMap(
  kind => shipped<{ webhooks: readonly Entry[] }>(`${kind}WebhookConfiguration`).webhooks,
);
const ackGroups = [ackCommonGroup, ...ackServices.map(service => `${service}.${ackCommonGroup}`)];

function configured(): readonly Sent[] {
  return entries.flatMap(({ name: webhook, clientConfig, rules }) =>
    rules.flatMap(({ apiGroups, resources, operations }) =>
      apiGroups.flatMap(group =>
        resources.flatMap(resource =>
          operations.map(operation => ({ webhook, path: clientConfig.service.path, group, resource, operation })),
        ),
      ),
    ),
  );
}

function ruled(of: readonly Rule[]): readonly Sent[] {
  return of.flatMap(({ webhook, endpoint, matches }) =>
    matches.flatMap(({ group, resource, subResource, operations }) =>
      (group === everyAckGroup ? ackGroups : [group]).flatMap(each =>
        operations.map(operation => ({
          webhook,
          path: `/${endpoint}`,
          group: each,
          resource: subResource === undefined ? resource : `${resource}/${subResource}`,
          operation,
        })),
      ),
    ),
  );
}

const lines = (sent: readonly Sent[]) => sent.map(each => Object.values(each).join(' ')).sort();

function request(operation: Operation, group: string, resource: string, subResource?: string): AdmissionRequest {
  const rest = { uid: 'u', kind: '', name: '', namespace: '', object: undefined, oldObject: undefined, dryRun: false };
  const userInfo = { username: '', uid: '', groups: [], extra: undefined };
  return { ...rest, userInfo, operation, resource: { group, version: 'v1', resource }, subResource };
}

describe('the rules and the webhook configurations', () => {
  test('match the same: groups, resources, subresources, operations, path and entry', () => {
    assert.deepEqual(lines(ruled(rules)), lines(configured()));
  });

  test('are found to differ when one of them lacks a rule', () => {
    const all = lines(configured());
    for (const rule of rules) assert.notDeepEqual(lines(ruled(rules.filter(each => each !== rule))), all);
  });

  test('know the same entries', () => {
    assert.deepEqual(new Set(entries.map(({ name }) => name)), new Set(webhookEntries));
  });
});

describe('the rule for a request', () => {
  test('is the one that matches it, for all that the API server sends', () => {
    for (const { webhook, path, group, resource, operation } of configured()) {
      const [plural = '', subResource] = resource.split('/');
      const name = plural === '*' ? 'things' : plural;
      const endpoint = path.slice(1) as Endpoint;
      const rule = ruleFor(endpoint, request(operation as Operation, group, name, subResource));
      assert.equal(`${rule.webhook} ${rule.endpoint}`, `${webhook} ${endpoint}`);
      assert.ok(rule.matches.some(match => match.resource === plural && match.subResource === subResource));
    }
  });

  test("is found for ACK's groups that are younger than the list", () => {
    const { webhook } = ruleFor('mutate', request('CREATE', 'tomorrow.services.k8s.aws', 'things'));
    assert.equal(webhook, 'resources.carm-webhook.dev');
  });

  const unknown: readonly (readonly [Endpoint, Operation, string, string, string?])[] = [
    ['mutate', 'UPDATE', '', 'pods'],
    ['mutate', 'CREATE', '', 'pods', 'ephemeralcontainers'],
    ['mutate', 'UPDATE', '', 'pods', 'status'],
    ['validate', 'UPDATE', '', 'pods', 'resize'],
    ['validate', 'CONNECT', '', 'pods', 'exec'],
    ['mutate', 'CREATE', '', 'configmaps'],
    ['mutate', 'CREATE', 'apps', 'deployments'],
    ['validate', 'UPDATE', 'apps', 'deployments', 'scale'],
    ['validate', 'DELETE', 's3.services.k8s.aws', 'buckets'],
    ['mutate', 'UPDATE', 's3.services.k8s.aws', 'buckets', 'status'],
    ['validate', 'UPDATE', 's3.services.k8s.aws', 'buckets', 'scale'],
    // Named by a rule of its own, so no resource like the others.
    ['mutate', 'CREATE', ackCommonGroup, 'iamroleselectors'],
    ['validate', 'UPDATE', ackCommonGroup, 'iamroleselectors', 'status'],
    ['validate', 'CREATE', 'evil-services.k8s.aws', 'buckets'],
    ['validate', 'CREATE', everyAckGroup, '*', 'scale'],
    ['validate', 'CREATE', '', 'secrets'],
  ];
  for (const each of unknown) {
    test(`is none for ${each.filter(Boolean).join(' ')}`, () => {
      const [endpoint, operation, group, resource, subResource] = each;
      assert.equal(ruleFor(endpoint, request(operation, group, resource, subResource)), notApplicable);
    });
  }
});

test('a rule that gives what it does not declare does not compile', () => {
  const common = { webhook: 'maps.carm-webhook.dev', endpoint: 'validate', matches: [] } as const;
  const reasons = { allow: ['Checked'], mutate: [], deny: [] } as const;
  defineRule({ ...common, reasons, decide: () => allow('Checked') });
  // @ts-expect-error: not declared.
  defineRule({ ...common, reasons, decide: () => allow('OptedOut') });
  // @ts-expect-error: declared, but for another verdict.
  defineRule({ ...common, reasons, decide: () => mutate('Checked', []) });
});

test('what inject predicts of a manifest is what a rule matches by its kind', () => {
  assert.equal(matchOfKind('', 'Pod')?.resource, 'pods');
  assert.equal(matchOfKind('', 'Namespace')?.resource, 'namespaces');
  assert.equal(matchOfKind('', 'ConfigMap')?.resource, 'configmaps');
  assert.equal(matchOfKind('s3.services.k8s.aws', 'Bucket')?.resource, '*');
  assert.equal(matchOfKind(ackCommonGroup, 'IAMRoleSelector')?.resource, 'iamroleselectors');
  for (const { group, kind, template } of workloadKinds) {
    assert.deepEqual(matchOfKind(group, kind)?.template, template);
  }
  for (const kind of ['Secret', 'Bucket', 'Deployment']) assert.equal(matchOfKind('', kind), undefined);
});
