import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ackServices } from '../../../../src/accounts/ack-services.ts';
import { type Config, defaultConfig } from '../../../../src/admission/config.ts';
import {
  everyAckGroup,
  findInConfigurations,
  sortConfigurations,
} from '../../../../src/cli/check/installation/configuration-findings.ts';
import shipped from '../../../../src/cli/check/installation/shipped-webhooks.json' with { type: 'json' };
import type { JsonObject } from '../../../../src/objects/json.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  operations: string[];
}
interface Entry {
  name: string;
  rules: Rule[];
  matchConditions: { name: string; expression: string }[];
  namespaceSelector?: {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values: string[] }[];
  };
  [field: string]: unknown;
}
interface Written {
  metadata: { name: string };
  webhooks: Entry[];
}

const ackGroups = ['services.k8s.aws', ...ackServices.map(service => `${service}.services.k8s.aws`)];

/** As an API server gives it, whatever the manifest left away. */
function installed(kind: keyof typeof shipped): Written {
  const { webhooks } = JSON.parse(JSON.stringify(shipped[kind])) as { webhooks: Entry[] };
  for (const entry of webhooks) {
    for (const rule of entry.rules) if (rule.apiGroups[0] === everyAckGroup) rule.apiGroups = [...ackGroups];
    entry['objectSelector'] = {};
    entry.namespaceSelector ??= {};
  }
  return { metadata: { name: 'zz-carm-webhook' }, webhooks };
}

interface Installed {
  mutating: Written;
  validating: Written;
  others: Written[];
}

function find(change: (cluster: Installed) => void, config: Partial<Config> = {}): readonly string[] {
  const cluster: Installed = {
    mutating: installed('MutatingWebhookConfiguration'),
    validating: installed('ValidatingWebhookConfiguration'),
    others: [],
  };
  change(cluster);
  const found = sortConfigurations({
    MutatingWebhookConfiguration: [cluster.mutating, ...cluster.others] as unknown as JsonObject[],
    ValidatingWebhookConfiguration: [cluster.validating] as unknown as JsonObject[],
  });
  return findInConfigurations(found, { ...defaultConfig, ...config }).map(
    ({ reason, object, message }) =>
      `${reason} ${object.kind.slice(0, 1)} ${object.name}: ${message.replace(/of carm-webhook [^:]+: /, '')}`,
  );
}

function entryOf({ webhooks }: Written, name: string): Entry {
  const entry = webhooks.find(each => each.name === `${name}.carm-webhook.dev`);
  assert.ok(entry, name);
  return entry;
}

function conditionOf(entry: Entry, name: string) {
  const condition = entry.matchConditions.find(each => each.name === name);
  assert.ok(condition, name);
  return condition;
}

function eachExpression({ mutating, validating }: Installed, change: (text: string) => string): void {
  for (const { matchConditions } of [...mutating.webhooks, ...validating.webhooks]) {
    for (const condition of matchConditions) condition.expression = change(condition.expression);
  }
}

function eachSelector({ mutating, validating }: Installed, change: (entry: Entry) => void): void {
  for (const entry of [...mutating.webhooks, ...validating.webhooks]) change(entry);
}

const other = (name: string, rule: object): Written => ({
  metadata: { name },
  webhooks: [{ name: 'x.example.com', rules: [rule as Rule], matchConditions: [] }],
});
const podRule = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] };

describe('what each installation may choose is no finding:', () => {
  const choices: readonly [what: string, change: (cluster: Installed) => void, config?: Partial<Config>][] = [
    ['the shipped manifests as they are', () => {}],
    [
      'other names of the configurations',
      ({ mutating, validating }) => {
        mutating.metadata.name = 'zz-other';
        validating.metadata.name = 'zz-other-too';
      },
    ],
    [
      'another namespace of the webhook, in selectors and conditions',
      cluster => {
        eachExpression(cluster, text => text.replaceAll("['carm-webhook',", "['aws-accounts',"));
        eachSelector(cluster, ({ namespaceSelector }) => {
          for (const { values } of namespaceSelector?.matchExpressions ?? []) {
            values.splice(values.indexOf('carm-webhook'), 1, 'aws-accounts');
          }
        });
      },
      { ownNamespace: 'aws-accounts' },
    ],
    [
      'to be asked about labels with the feature gate IAMRoleSelector, as it is due',
      cluster => eachExpression(cluster, text => text.replaceAll('(false &&', '(true &&')),
      { featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true } },
    ],
    [
      'to be asked about labels without that gate',
      cluster => eachExpression(cluster, text => text.replaceAll('(false &&', '(true &&')),
    ],
    [
      'more namespaces that are left out',
      cluster => {
        eachExpression(cluster, text => text.replaceAll("'kube-node-lease']", "'kube-node-lease', 'calico-system']"));
        eachSelector(cluster, ({ namespaceSelector }) => {
          for (const { values } of namespaceSelector?.matchExpressions ?? []) values.push('calico-system');
        });
      },
    ],
    [
      'more conditions, and more requirements of a selector',
      cluster =>
        eachSelector(cluster, entry => {
          entry.matchConditions.push({ name: 'mine', expression: 'true' });
          if (entry.namespaceSelector?.matchLabels?.['carm-webhook.dev/inject'] === undefined) return;
          entry.namespaceSelector.matchLabels['stage'] = 'production';
        }),
    ],
    ['another layout of the conditions', cluster => eachExpression(cluster, text => text.replaceAll(' ', '\n  '))],
    [
      'every group of ACK',
      ({ validating }) => {
        const entry = entryOf(validating, 'resources');
        for (const rule of entry.rules) rule.apiGroups = ['*'];
      },
    ],
    [
      'groups of ACK that are younger than the list, and rules written in other pieces',
      ({ validating, mutating }) => {
        const [rule] = entryOf(validating, 'resources').rules;
        rule?.apiGroups.push('new.services.k8s.aws');
        const entry = entryOf(mutating, 'namespaces');
        const [first] = entry.rules;
        assert.ok(first);
        entry.rules = first.resources.map(resource => ({ ...first, resources: [resource] }));
      },
    ],
    [
      "other identities of ACK's controllers",
      cluster => eachExpression(cluster, text => text.replace('ack-system:ack-[a-z0-9]+-controller', 'acks:s3')),
    ],
    [
      'maps in other namespaces, as the flag says',
      ({ validating }) => {
        entryOf(validating, 'maps').namespaceSelector = {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['acks', 'ack-system'] }],
        };
      },
      {
        ackSystems: [
          { namespace: 'ack-system', services: undefined },
          { namespace: 'acks', services: undefined },
        ],
      },
    ],
    [
      'other mutating webhooks that come before, or do not touch pods',
      ({ others }) =>
        others.push(other('pod-identity-webhook', podRule), other('zzz', { ...podRule, resources: ['configmaps'] })),
    ],
  ];
  for (const [what, change, config] of choices) {
    test(what, () => assert.deepEqual(find(change, config), []));
  }
});

describe('what differs from this version is a finding:', () => {
  const differs = (kind: string, entry: string, fields: string) => [
    `WebhookConfigurationDiffers ${kind} zz-carm-webhook: ${entry}.carm-webhook.dev is not that ${fields}`,
  ];
  const changes: readonly [
    what: string,
    change: (cluster: Installed) => void,
    said: readonly string[],
    config?: Partial<Config>,
  ][] = [
    [
      'a policy that lets pods pass unseen',
      ({ mutating }) => (entryOf(mutating, 'pods')['failurePolicy'] = 'Ignore'),
      differs('M', 'pods', 'failurePolicy (Ignore instead of Fail)'),
    ],
    [
      'a timeout that the API server waits too long for, and what the default of another field is',
      ({ mutating }) => {
        const entry = entryOf(mutating, 'pods');
        entry['timeoutSeconds'] = 30;
        delete entry['reinvocationPolicy'];
      },
      differs('M', 'pods', 'reinvocationPolicy (Never instead of IfNeeded), timeoutSeconds (30 instead of 5)'),
    ],
    [
      'a rule with fewer operations',
      ({ validating }) => {
        const [rule] = entryOf(validating, 'maps').rules;
        if (rule) rule.operations = ['CREATE', 'UPDATE'];
      },
      differs('V', 'maps', 'rules'),
    ],
    [
      'a rule with more operations, which holds up deletions',
      ({ validating }) => entryOf(validating, 'resources').rules[0]?.operations.push('DELETE'),
      differs('V', 'resources', 'rules'),
    ],
    [
      'a rule that is gone',
      ({ validating }) => entryOf(validating, 'workloads').rules.pop(),
      differs('V', 'workloads', 'rules'),
    ],
    [
      'a group of ACK that is gone',
      ({ validating }) => entryOf(validating, 'status').rules[0]?.apiGroups.splice(3, 1),
      differs('V', 'status', 'rules'),
    ],
    [
      'a group that is none of ACK',
      ({ mutating }) => entryOf(mutating, 'resources').rules[0]?.apiGroups.push('apps'),
      differs('M', 'resources', 'rules'),
    ],
    [
      'a condition that is gone: the way out',
      ({ mutating }) => {
        entryOf(mutating, 'pods').matchConditions = [];
      },
      differs('M', 'pods', 'matchConditions not-break-glass (missing)'),
    ],
    [
      'a condition that says something else',
      ({ mutating }) => {
        const condition = conditionOf(entryOf(mutating, 'namespaces'), 'not-terminating');
        condition.expression = condition.expression.replace('!', '');
      },
      differs('M', 'namespaces', 'matchConditions not-terminating'),
    ],
    [
      'a condition that leaves out fewer namespaces',
      ({ mutating }) => {
        const condition = conditionOf(entryOf(mutating, 'namespaces'), 'not-excluded');
        condition.expression = condition.expression.replace("'kube-system', ", '');
      },
      differs('M', 'namespaces', 'matchConditions not-excluded'),
    ],
    [
      'a selector without the label',
      ({ mutating }) => {
        entryOf(mutating, 'pods').namespaceSelector = {};
      },
      differs('M', 'pods', 'namespaceSelector'),
    ],
    [
      'a selector that does not leave out the namespace of the webhook',
      () => {},
      [...differs('M', 'pods', 'namespaceSelector'), ...differs('M', 'namespaces', 'matchConditions not-excluded')],
      { ownNamespace: 'elsewhere' },
    ],
    [
      'a selector that does not see the maps',
      () => {},
      differs('V', 'maps', 'namespaceSelector'),
      { ackSystems: [{ namespace: 'acks', services: undefined }] },
    ],
    [
      'an entry that is gone',
      ({ validating }) => validating.webhooks.splice(0, 1),
      ['WebhookEntryMissing V zz-carm-webhook: carm-webhook 0.1.0 has an entry that it lacks: "pods.carm-webhook.dev"'],
    ],
    [
      'another mutating webhook that changes pods later',
      ({ others }) =>
        others.push(
          other('zzz', podRule),
          other('zzzz', { ...podRule, apiGroups: ['*'], resources: ['*'], operations: ['*'] }),
        ),
      ['zzz', 'zzzz'].map(
        name =>
          `MutatingWebhookAfterOurs M ${name}: it changes pods after "zz-carm-webhook", by its name: what it sets in a container, carm-webhook does not see at first`,
      ),
    ],
  ];
  for (const [what, change, said, config] of changes) {
    test(what, () => {
      const found = find(change, config);
      assert.deepEqual(config?.ownNamespace === undefined ? found : found.slice(0, 2), said);
    });
  }

  test('a configuration that is gone lacks all of its entries', () => {
    const [first] = find(({ validating }) => {
      validating.webhooks = [];
    });
    assert.match(first ?? '', /^WebhookEntryMissing V zz-carm-webhook: .* has entries that it lacks: "pods/);
  });
});

test('with the feature gate IAMRoleSelector the shipped conditions see too little: labels', () => {
  const found = find(() => {}, { featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true } });
  assert.equal(found.length, 1);
  assert.match(
    found[0] ?? '',
    /^WebhookConfigurationDiffers V .*namespaces.*matchConditions endpoint-label-or-setting/,
  );
});
