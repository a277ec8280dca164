import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { version } from '../../src/version.ts';
import { withEachHelm } from './each-helm.ts';
import { chartFolder, runHelm, templateChart } from './helm.ts';
import { installFile, installManifests } from './install-manifests.ts';

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface Entry {
  readonly name: string;
  readonly clientConfig: {
    readonly caBundle?: string;
    readonly service: { readonly name: string; readonly namespace: string; readonly port: number };
  };
  readonly namespaceSelector?: object;
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
}

const image = { repository: 'carm-webhook' };
const caBundle = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const providers = [
  { provider: 'cert-manager' },
  { provider: 'existing', existing: { secretName: 'mine', caBundle } },
  { provider: 'helm' },
];
const availability = {
  on: { networkPolicy: { enabled: true }, apiServer: { cidrs: ['10.0.0.0/28'] }, webhook: { hostNetwork: true } },
  off: {
    replicaCount: 1,
    podDisruptionBudget: { enabled: false },
    topologySpreadConstraints: [],
    priorityClassName: '',
  },
};

function objectsOf(text: string): readonly Rendered[] {
  return parseAllDocuments(text).flatMap(document => {
    assert.deepEqual(document.errors, []);
    const object = document.toJS();
    return object === null ? [] : [object];
  });
}

const ofKind = (objects: readonly Rendered[], kind: string) => objects.filter(object => object.kind === kind);
const entriesOf = (objects: readonly Rendered[]) =>
  objects
    .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
    .flatMap(configuration => configuration['webhooks'] as readonly Entry[]);

withEachHelm('the chart', (helm, helmVersion) => {
  const render = async (values: object, options = {}) =>
    objectsOf(await templateChart(helm, { image, ...values }, options));

  test('passes helm lint --strict, with and without values', async () => {
    for (const values of [{}, { image, certificates: { provider: 'helm' } }]) {
      const { code, stdout } = await runHelm(helm, ['lint', '--strict', chartFolder, '--values=-'], {
        input: JSON.stringify(values),
      });
      assert.equal(code, 0, stdout);
      assert.doesNotMatch(stdout, /\[(?:WARNING|ERROR)\]/);
    }
  });

  for (const certificates of providers) {
    for (const [spread, values] of Object.entries(availability)) {
      for (const kubeVersion of helmVersion === 'v4' ? ['1.30', '1.33', '1.36'] : ['1.36']) {
        test(`renders with ${certificates.provider}, high availability ${spread}, Kubernetes ${kubeVersion}`, async () => {
          const options = { kubeVersion, release: 'other', namespace: 'elsewhere' };
          const text = await templateChart(helm, { image, certificates, ...values }, options);
          const objects = objectsOf(text);
          const names = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`));
          assert.equal(names.size, objects.length);
          for (const { apiVersion, metadata } of objects) {
            assert.match(apiVersion, /^(?:[a-z0-9.-]+\/)?v1$/);
            assert.equal(metadata.labels['app.kubernetes.io/instance'], 'other');
          }
          const namespaced = objects.filter(({ metadata }) => metadata.namespace !== undefined);
          assert.deepEqual(
            new Set(namespaced.map(({ metadata }) => metadata.namespace)),
            new Set(['elsewhere', 'ack-system', 'other-carm-webhook-startup-check']),
          );
          assert.doesNotMatch(text, /namespace: carm-webhook$/m);
          // Argo CD and others render again and again, without a cluster.
          if (certificates.provider !== 'helm') {
            assert.equal(await templateChart(helm, { image, certificates, ...values }, options), text);
          }
          const [service] = ofKind(objects, 'Service');
          for (const { clientConfig } of entriesOf(objects)) {
            assert.partialDeepStrictEqual(clientConfig.service, {
              name: service?.metadata.name,
              namespace: 'elsewhere',
              port: 443,
            });
            assert.equal(clientConfig.caBundle !== undefined, certificates.provider !== 'cert-manager');
          }
        });
      }
    }
  }

  test('keeps its own namespace and those of Kubernetes out, whatever else is selected', async () => {
    const mine = { key: 'team', operator: 'Exists' };
    const values = { webhook: { namespaceSelector: { matchExpressions: [mine] } } };
    const entries = entriesOf(await render(values, { namespace: 'elsewhere' }));
    const excluded = ['elsewhere', 'kube-system', 'kube-public', 'kube-node-lease'];
    const expected = {
      matchLabels: { 'carm-webhook.dev/inject': 'enabled' },
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excluded }, mine],
    };
    const selecting = entries.filter(({ name }) => /^(?:pods|workloads)\./.test(name));
    assert.equal(selecting.length, 3);
    for (const { namespaceSelector } of selecting) assert.deepEqual(namespaceSelector, expected);
    const text = entries
      .flatMap(({ matchConditions }) => matchConditions.map(({ expression }) => expression))
      .join('\n');
    const lists = text.match(/\['[a-z-]+', 'kube-system', 'kube-public', 'kube-node-lease'\]/g) ?? [];
    assert.ok(lists.length > 3);
    assert.deepEqual(new Set(lists), new Set([`['${excluded.join("', '")}']`]));
  });

  test('gives every entry the conditions of the user, after the way out', async () => {
    const mine = { name: 'not-mine', expression: "request.namespace != 'mine'" };
    for (const { name, matchConditions } of entriesOf(await render({ webhook: { matchConditions: [mine] } }))) {
      const [first, second] = matchConditions;
      assert.deepEqual([first?.name, second], ['not-break-glass', mine], name);
    }
  });

  test('with its own certificate has one that its CA signed for the name of the Service, the same everywhere', async () => {
    const values = { certificates: { provider: 'helm', helm: { validityDays: 30 } } };
    const objects = await render(values, { namespace: 'elsewhere' });
    const data = ofKind(objects, 'Secret')[0]?.['data'] as Record<string, string>;
    const pem = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString();
    const [ca, certificate] = [new X509Certificate(pem('ca.crt')), new X509Certificate(pem('tls.crt'))];
    assert.ok(certificate.verify(ca.publicKey));
    assert.equal(certificate.checkHost('carm-webhook.elsewhere.svc'), 'carm-webhook.elsewhere.svc');
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    assert.ok(days > 29 && days <= 30, `${days}`);
    const bundles = new Set(entriesOf(objects).map(({ clientConfig }) => clientConfig.caBundle));
    assert.deepEqual(bundles, new Set([data['ca.crt']]));
  });

  test('with an issuer of the user makes no CA', async () => {
    const issuerRef = { name: 'company', kind: 'ClusterIssuer' };
    const objects = await render({ certificates: { provider: 'cert-manager', certManager: { issuerRef } } });
    assert.deepEqual(ofKind(objects, 'Issuer'), []);
    const [certificate, ...more] = ofKind(objects, 'Certificate');
    assert.deepEqual(more, []);
    assert.partialDeepStrictEqual(certificate?.['spec'], { issuerRef: { group: 'cert-manager.io', ...issuerRef } });
    for (const kind of ['Mutating', 'Validating']) {
      const [configuration] = ofKind(objects, `${kind}WebhookConfiguration`);
      const source = configuration?.metadata.annotations?.['cert-manager.io/inject-ca-from'];
      assert.equal(source, `carm-webhook/${certificate?.metadata.name}`);
    }
  });

  test('has two namespaces of ACK in flags, rights, selectors and conditions alike', async () => {
    const ack = { systemNamespaces: ['ack-a', 'ack-b'], createNamespaces: true };
    const objects = await render({ ack, startupCheck: { enabled: false } });
    for (const kind of ['Role', 'RoleBinding']) {
      assert.deepEqual(
        ofKind(objects, kind).map(({ metadata }) => metadata.namespace),
        ['ack-a', 'ack-b'],
      );
    }
    const namespaces = ofKind(objects, 'Namespace');
    assert.deepEqual(
      namespaces.map(({ metadata }) => [metadata.name, metadata.annotations?.['helm.sh/resource-policy']]),
      [
        ['ack-a', 'keep'],
        ['ack-b', 'keep'],
      ],
    );
    assert.match(JSON.stringify(ofKind(objects, 'Deployment')), /"--ack-system-namespace=ack-a,ack-b"/);
    const entries = entriesOf(objects);
    const maps = entries.find(({ name }) => name === 'maps.carm-webhook.dev');
    assert.deepEqual(maps?.namespaceSelector, {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['ack-a', 'ack-b'] }],
    });
    const conditions = entries.flatMap(({ matchConditions }) =>
      matchConditions.filter(({ name }) => name === 'not-ack'),
    );
    assert.equal(conditions.length, 3);
    for (const { expression } of conditions)
      assert.match(expression, /:\(ack-a\|ack-b\):ack-\[a-z0-9\]\+-controller\$/);
    assert.doesNotMatch(JSON.stringify(objects), /ack-system(?!-namespace)/);
  });

  test('gives the Job that labels namespaces the rights of the example, and the flags that change a decision', async () => {
    const config = { defaultMode: 'audit', logLevel: 'debug', maxStaleness: '2m', bindAddress: '::' };
    const objects = await render({ labelNamespaces: { enabled: true }, config });
    const example = objectsOf(readFileSync(join(chartFolder, '..', 'examples', 'label-job.yaml'), 'utf8'));
    const rulesOf = (of: readonly Rendered[]) =>
      of.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'carm-webhook-label')?.['rules'];
    assert.ok(Array.isArray(rulesOf(example)));
    assert.deepEqual(rulesOf(objects), rulesOf(example));
    const [template] = ofKind(objects, 'Job')
      .filter(({ metadata }) => metadata.name === 'carm-webhook-label')
      .map(
        job => (job['spec'] as { template: { spec: { containers: readonly [{ args: readonly string[] }] } } }).template,
      );
    assert.deepEqual(template?.spec.containers[0].args, [
      'label',
      '--allow-left-out',
      '--ack-system-namespace=ack-system',
      '--default-mode=audit',
      '--max-staleness=2m',
    ]);
  });

  test('changes no label of its namespaces from version to version', async () => {
    const values = { createNamespace: true, ack: { createNamespaces: true }, commonLabels: { team: 'platform' } };
    const own = 'carm-webhook';
    for (const { metadata } of ofKind(await render(values), 'Namespace')) {
      if (metadata.name === own) continue;
      const known = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'pod-security.kubernetes.io/enforce'];
      assert.deepEqual(
        Object.keys(metadata.labels).filter(label => !known.includes(label)),
        [],
        metadata.name,
      );
    }
  });

  test('keeps names that look like numbers or words of YAML', async () => {
    const mine = ['1e5', 'null'];
    const values = {
      ack: { systemNamespaces: mine, createNamespaces: true },
      createNamespace: true,
      serviceAccount: { name: '42' },
      priorityClassName: '7',
      certificates: { provider: 'cert-manager', certManager: { issuerRef: { name: '8' } } },
      webhook: { namespaceSelector: { matchExpressions: [] } },
      metrics: { serviceMonitor: { enabled: true, namespace: '9' } },
    };
    const objects = await render(values, { namespace: 'null', release: '1234' });
    const named =
      /^(?:name|namespace|secretName|serviceAccountName|priorityClassName|values|matchNames|.*\/instance|.*\.name)$/;
    const wrong: string[] = [];
    const walk = (value: unknown, path: string, isNamed: boolean): void => {
      if (Array.isArray(value)) for (const each of value) walk(each, path, isNamed);
      else if (typeof value === 'object' && value !== null) {
        for (const [key, each] of Object.entries(value)) walk(each, `${path}.${key}`, named.test(key));
      } else if (isNamed && typeof value !== 'string') wrong.push(`${path}: ${value}`);
    };
    for (const object of objects) walk(object, object.kind, false);
    assert.deepEqual(wrong, []);
    const pods = entriesOf(objects).find(({ name }) => name === 'pods.carm-webhook.dev');
    assert.match(JSON.stringify(pods?.namespaceSelector), /\["null","kube-system"/);
  });

  test('lets labels of the user change others of its own, but none twice', async () => {
    const label = { 'app.kubernetes.io/version': 'mine' };
    const objects = await render({
      commonLabels: { team: 'platform', ...label },
      podLabels: { team: 'other', ...label },
      podAnnotations: { 'kubectl.kubernetes.io/default-container': 'mine' },
      metrics: {
        serviceMonitor: { enabled: true, labels: { team: 'other', 'app.kubernetes.io/instance': 'prometheus' } },
        prometheusRule: { enabled: true, labels: { team: 'other' } },
        dashboard: { enabled: true, labels: { team: 'other' } },
      },
    });
    const teams = objects.filter(({ metadata }) => metadata.labels['team'] === 'other').map(({ kind }) => kind);
    assert.deepEqual(teams.toSorted(), ['ConfigMap', 'PrometheusRule', 'ServiceMonitor']);
    const [deployment] = ofKind(objects, 'Deployment');
    assert.partialDeepStrictEqual(deployment?.['spec'], {
      template: {
        metadata: {
          labels: { 'app.kubernetes.io/name': 'carm-webhook', team: 'other', ...label },
          annotations: { 'kubectl.kubernetes.io/default-container': 'mine' },
        },
      },
    });
  });

  const incomplete: readonly (readonly [string, object, RegExp])[] = [
    ['no image', { image: {} }, /image\.repository is not set/],
    [
      'no Secret',
      { certificates: { provider: 'existing' } },
      /certificates\.existing\.(?:secretName|caBundle) is not set/,
    ],
    [
      'no CA',
      { certificates: { provider: 'existing', existing: { secretName: 'mine' } } },
      /certificates\.existing\.caBundle is not set/,
    ],
    ['no addresses', { networkPolicy: { enabled: true } }, /apiServer\.cidrs is not set/],
    [
      'time to shut down in',
      { config: { shutdownDelay: '1m500ms' }, terminationGracePeriodSeconds: 85 },
      /terminationGracePeriodSeconds is 85: kubelet would kill the webhook before .* it must be 86 at least/,
    ],
    [
      'time to shut down in, by default',
      { terminationGracePeriodSeconds: 30 },
      /terminationGracePeriodSeconds is 30: .* it must be 35 at least/,
    ],
    [
      'a port for metrics',
      { metrics: { port: 8443 } },
      /webhook\.port and metrics\.port are both 8443: the webhook could not start/,
    ],
    ['no ServiceAccount', { serviceAccount: { create: false } }, /serviceAccount\.name is not set/],
  ];
  for (const [what, values, message] of incomplete) {
    test(`says what is missing: ${what}`, () => assert.rejects(render(values), message));
  }

  test('takes a time to shut down that is just long enough', async () => {
    for (const shutdownDelay of ['60', '60s', '1m', '0.5m30s', '60000ms'])
      await render({ config: { shutdownDelay }, terminationGracePeriodSeconds: 85 });
  });

  test('takes a CA that something else fills in', async () => {
    const annotations = { 'cert-manager.io/inject-ca-from-secret': 'carm-webhook/mine' };
    const certificates = { provider: 'existing', existing: { secretName: 'mine' } };
    for (const { clientConfig } of entriesOf(await render({ certificates, webhook: { annotations } }))) {
      assert.equal(clientConfig.caBundle, undefined);
    }
  });

  const wrong: readonly (readonly [object, string])[] = [
    [{ replicaCout: 3 }, "additional properties 'replicaCout' not allowed"],
    [{ commonLabels: { 'app.kubernetes.io/name': 'mine' } }, "'/commonLabels/app.kubernetes.io~1name'"],
    [{ commonLabels: { 'app.kubernetes.io/instance': 'mine' } }, "'/commonLabels/app.kubernetes.io~1instance'"],
    [{ podLabels: { 'app.kubernetes.io/name': 'mine' } }, "'/podLabels/app.kubernetes.io~1name'"],
    [{ fullnameOverride: 'true' }, "'/fullnameOverride'"],
    [{ fullnameOverride: '1234' }, "'/fullnameOverride'"],
    [{ nameOverride: "it's" }, "'/nameOverride'"],
    // Of the Jobs a label with the name is longer by 14.
    [{ nameOverride: 'a'.repeat(50) }, "'/nameOverride': maxLength"],
    // The Job ends after 15 minutes.
    [{ startupCheck: { timeout: '16m' } }, "'/startupCheck/timeout'"],
    [{ startupCheck: { timeout: '1h' } }, "'/startupCheck/timeout'"],
    [{ image: { repo: 'x' } }, "'/image': additional properties 'repo' not allowed"],
    [{ config: { defaultmode: 'warn' } }, "'/config': additional properties 'defaultmode' not allowed"],
    [{ config: { defaultMode: 'strict' } }, "'/config/defaultMode': value must be one of"],
    [{ config: { sourceAccounts: [111122223333] } }, "'/config/sourceAccounts/0': got number, want string"],
    [{ config: { sourceAccounts: '111122223333' } }, "'/config/sourceAccounts': got string, want array"],
    [{ config: { featureGates: { TeamLevelCARM: 'true' } } }, "'/config/featureGates/TeamLevelCARM': got string"],
    [{ config: { requirePodsKey: 'yes' } }, "'/config/requirePodsKey': got string, want boolean"],
    [{ config: { hubRoleArn: 'hub' } }, "'/config/hubRoleArn'"],
    [{ config: { shutdownDelay: 'soon' } }, "'/config/shutdownDelay'"],
    [{ ack: { systemNamespaces: [] } }, "'/ack/systemNamespaces'"],
    [{ ack: { systemNamespaces: ["a'b"] } }, "'/ack/systemNamespaces/0'"],
    [{ ack: { identities: ["arn:aws:sts::111122223333:assumed-role/A'/"] } }, "'/ack/identities/0'"],
    [{ ack: { identities: ['arn:aws:sts::111122223333:assumed-role/A'] } }, "'/ack/identities/0'"],
    [{ certificates: { provider: 'self-signed' } }, "'/certificates/provider': value must be one of"],
    [
      { certificates: { certManager: { issuerRef: { kind: 'ClusterIssuer' } } } },
      "'/certificates/certManager/issuerRef'",
    ],
    [{ certificates: { existing: { caBundle: 'LS0tLS1CRUdJTi' } } }, "'/certificates/existing/caBundle'"],
    [{ webhook: { failurePolicy: 'Warn' } }, "'/webhook/failurePolicy'"],
    [{ webhook: { timeoutSeconds: 31 } }, "'/webhook/timeoutSeconds': maximum"],
    [{ webhook: { matchConditions: [{ name: 'x' }] } }, "'/webhook/matchConditions/0': missing property 'expression'"],
    [{ apiServer: { cidrs: ['10.0.0.1'] } }, "'/apiServer/cidrs/0'"],
    [{ replicaCount: 0 }, "'/replicaCount': minimum"],
    [{ podDisruptionBudget: { maxUnavailable: 'one' } }, "'/podDisruptionBudget/maxUnavailable'"],
    [{ livenessProbe: { httpGet: {} } }, "'/livenessProbe': additional properties 'httpGet' not allowed"],
  ];
  // One library reads the schema for both.
  for (const [values, message] of helmVersion === 'v4' ? wrong : wrong.slice(0, 3)) {
    test(`does not take ${JSON.stringify(values)}`, () =>
      assert.rejects(render(values), error => error instanceof Error && error.message.includes(message)));
  }

  test('is not for an older Kubernetes', () =>
    assert.rejects(render({}, { kubeVersion: '1.29.9' }), /requires kubeVersion: >=1\.30\.0-0/));

  test('takes a Kubernetes whose version has a suffix', async () => {
    await render({}, { kubeVersion: 'v1.30.4-eks-a737599' });
  });

  if (helmVersion === 'v4') {
    test('makes deploy/install.yaml (to write it: make manifests)', async () => {
      assert.equal(readFileSync(installFile, 'utf8'), await installManifests(helm));
    });
  }
});

describe('the chart', () => {
  test('has the version of what it runs', () => {
    const chart = parse(readFileSync(`${chartFolder}/Chart.yaml`, 'utf8'));
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  });
});
