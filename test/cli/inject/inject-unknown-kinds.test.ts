import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { nestedLimits } from '../../../src/objects/nested-pod-templates.ts';
import { demoState, runCommand } from '../command-runs.ts';

/** Kinds of other projects that make pods, in the shapes that their documentation shows. */

const role = 'arn:aws:iam::111122223333:role/team-a-workloads';
const foreign = 'arn:aws:iam::999988887777:role/x';
const preview = 'preview: pod templates are shown as their pods would be; apply the original manifests\n';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** With CONTAINERS in place of each list of containers. */
  readonly rest: string;
  readonly paths: readonly string[];
}

const judged: readonly Kind[] = [
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    rest: 'spec: {replicas: 2, strategy: {canary: {steps: [{setWeight: 20}]}}, template: {metadata: {labels: {app: a}}, spec: {containers: CONTAINERS}}}',
    paths: ['spec.template'],
  },
  {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    rest: 'spec: {template: {spec: {containers: CONTAINERS}}}',
    paths: ['spec.template'],
  },
  {
    apiVersion: 'jobset.x-k8s.io/v1alpha2',
    kind: 'JobSet',
    rest: 'spec: {replicatedJobs: [{name: one, template: {spec: {template: {spec: {containers: CONTAINERS}}}}}, {name: two, template: {spec: {template: {spec: {containers: CONTAINERS}}}}}]}',
    paths: ['spec.replicatedJobs[0].template.spec.template', 'spec.replicatedJobs[1].template.spec.template'],
  },
  {
    apiVersion: 'leaderworkerset.x-k8s.io/v1',
    kind: 'LeaderWorkerSet',
    rest: 'spec: {leaderWorkerTemplate: {size: 4, leaderTemplate: {spec: {containers: CONTAINERS}}, workerTemplate: {spec: {containers: CONTAINERS}}}}',
    paths: ['spec.leaderWorkerTemplate.leaderTemplate', 'spec.leaderWorkerTemplate.workerTemplate'],
  },
  {
    apiVersion: 'ray.io/v1',
    kind: 'RayCluster',
    rest: 'spec: {headGroupSpec: {template: {spec: {containers: CONTAINERS}}}, workerGroupSpecs: [{groupName: w, template: {spec: {containers: CONTAINERS}}}]}',
    paths: ['spec.headGroupSpec.template', 'spec.workerGroupSpecs[0].template'],
  },
  {
    apiVersion: 'kubeflow.org/v1',
    kind: 'PyTorchJob',
    rest: 'spec: {pytorchReplicaSpecs: {Worker: {replicas: 1, template: {spec: {containers: CONTAINERS}}}}}',
    paths: ['spec.pytorchReplicaSpecs.Worker.template'],
  },
  {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    rest: 'spec: {jobTargetRef: {template: {spec: {containers: CONTAINERS}}}}',
    paths: ['spec.jobTargetRef.template'],
  },
];

const notJudged: readonly (Omit<Kind, 'paths'> & { readonly at: string })[] = [
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    rest: `spec: {entrypoint: a, templates: [{name: a, container: {image: x, env: [{name: AWS_ROLE_ARN, value: "${foreign}"}]}}]}`,
    at: 'spec.templates[0]',
  },
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'CronWorkflow',
    rest: 'spec: {schedule: "* * * * *", workflowSpec: {serviceAccountName: w, templates: [{name: a, script: {image: x, source: y}}]}}',
    at: 'spec.workflowSpec',
  },
  {
    apiVersion: 'sparkoperator.k8s.io/v1beta2',
    kind: 'SparkApplication',
    rest: `spec: {type: Scala, driver: {cores: 1, env: [{name: AWS_ROLE_ARN, value: "${foreign}"}]}, executor: {envVars: {AWS_ROLE_ARN: "${foreign}"}}}`,
    at: 'spec.driver',
  },
  {
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    rest: 'spec: {steps: [{name: s, image: x, script: echo}]}',
    at: 'spec.steps[0]',
  },
  {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    rest: 'spec: {serviceAccountName: p, containers: [{name: sidecar, image: x}]}',
    at: 'spec',
  },
];

function manifest({ apiVersion, kind, rest }: Omit<Kind, 'paths'>, containers = '', namespace = 'team-a'): string {
  const metadata = `metadata: {name: web, namespace: ${namespace}}`;
  return `apiVersion: ${apiVersion}\nkind: ${kind}\n${metadata}\n${rest.replaceAll('CONTAINERS', containers)}\n`;
}

async function inject(stdin: string, ...flags: readonly string[]) {
  return runCommand(['inject', '-f', '-', '--state', demoState, ...flags], { stdin });
}

function at(object: unknown, path: string): Record<string, unknown> {
  const keys = path.split(/\.|\[(\d+)\]/).filter(Boolean);
  return keys.reduce((value, key) => Reflect.get(Object(value), key), object) as Record<string, unknown>;
}

describe('inject: pod templates in kinds that it does not know', () => {
  for (const kind of judged) {
    test(`${kind.kind}: each template becomes what its pods would`, async () => {
      const { code, stdout, stderr } = await inject(manifest(kind, '[{image: x}]'));
      assert.deepEqual([code, stderr], [0, preview]);
      const [object] = parseAllDocuments(stdout).map(document => document.toJS());
      for (const path of kind.paths) {
        const { metadata, spec } = at(object, path) as {
          metadata: { annotations: Record<string, string> };
          spec: { containers: { env: { name: string; value: string }[] }[]; volumes: { name: string }[] };
        };
        assert.equal(spec.containers[0]?.env.find(({ name }) => name === 'AWS_ROLE_ARN')?.value, role);
        assert.equal(spec.volumes[0]?.name, 'aws-iam-token');
        assert.equal(metadata.annotations['carm-webhook.dev/role-arn'], role);
      }
    });

    test(`${kind.kind}: a denial is exit 1 and names the place`, async () => {
      const containers = `[{image: x, env: [{name: AWS_ROLE_ARN, value: "${foreign}"}]}]`;
      const { code, stdout, stderr } = await inject(manifest(kind, containers));
      assert.deepEqual([code, stdout], [1, '']);
      const lines = stderr.trimEnd().split('\n');
      assert.equal(lines.length, kind.paths.length);
      for (const [index, path] of kind.paths.entries()) {
        const start = `stdin:1: denied: pods ("${path}") of ${kind.kind} "web" in namespace "team-a": `;
        assert.ok(lines[index]?.startsWith(start), stderr);
        assert.match(lines[index] ?? '', /\(RoleOutsideAccount\)$/);
      }
    });
  }

  for (const kind of notJudged) {
    test(`${kind.kind}: what has no pod template is said not to be judged, and comes out as it is`, async () => {
      const text = manifest(kind);
      const { code, stdout, stderr } = await inject(text);
      const said = `stdin:1: not judged: ${kind.kind} "web" seems to create pods without a pod template, at "${kind.at}"\n`;
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: text, stderr: said });
    });
  }

  test('in a List they are found too', async () => {
    const [rollout] = judged;
    assert.ok(rollout);
    const item = manifest(rollout, '[{name: a, image: x}]').replaceAll(/^/gm, '    ').trim();
    const { code, stdout, stderr } = await inject(`apiVersion: v1\nkind: List\nitems:\n  - ${item}\n`);
    assert.deepEqual([code, stderr], [0, preview]);
    assert.match(stdout, /name: AWS_ROLE_ARN/);
  });

  test('a namespace that is not managed leaves them as they are', async () => {
    const [rollout] = judged;
    assert.ok(rollout);
    const plain = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: plain}\n---\n';
    const { code, stdout, stderr } = await inject(plain + manifest(rollout, '[{name: a}]', 'plain'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.doesNotMatch(stdout, /AWS_/);
  });

  test('a template that its controller fills in is said not to be judged', async () => {
    const [rollout] = judged;
    assert.ok(rollout);
    const { code, stderr } = await inject(manifest(rollout, '[{name: a, env: "{{env}}"}]'));
    assert.equal(code, 0);
    assert.equal(
      stderr,
      'stdin:1: not judged: pod template at "spec.template": Rollout "web" in namespace "team-a": "spec.containers[0].env" is not an array. To fix this, correct that field (InvalidReview)\n',
    );
  });

  test('what the limits cut off is said', async () => {
    const many = Array.from({ length: nestedLimits.templates + 1 }, () => '{spec: {containers: [{name: a}]}}');
    const object = { apiVersion: 'example.com/v1', kind: 'Fleet', rest: `spec: {list: [${many.join(', ')}]}` };
    const { code, stdout, stderr } = await inject(manifest(object));
    assert.equal(code, 0);
    assert.equal(stdout.match(/name: AWS_ROLE_ARN/g)?.length, nestedLimits.templates);
    assert.equal(
      stderr,
      `stdin:1: not judged: the rest of Fleet "web": it has more than ${nestedLimits.templates} templates\n${preview}`,
    );
  });

  test("what is no kind of a pod's says nothing", async () => {
    const quiet = [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team-a}\ndata: {image: x, env: y, serviceAccountName: z}\n',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: team-a}\nspec: {ports: [{name: http, port: 80}]}\n',
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {versions: [{schema: {openAPIV3Schema: {properties: {image: {type: string}, command: {type: array}}}}}]}\n',
      'apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a, namespace: team-a}\nspec: {endpoints: [{port: http}]}\n',
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, namespace: team-a}\nspec: {source: {repoURL: x, kustomize: {images: [a=b]}}}\n',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a, namespace: team-a}\nspec: {rules: [{backendRefs: [{name: a, port: 80}]}]}\n',
    ].join('---\n');
    assert.deepEqual(await inject(quiet), { code: 0, stdout: quiet, stderr: '' });
  });
});
