import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';
import { kubectlYaml } from '../../../src/cluster/state/kubectl-yaml.ts';
import { propertyRuns } from '../../property-runs.ts';
import { demoState, runCommand } from '../command-runs.ts';

const text = fc.oneof(
  fc.constantFrom('a', 'true', '012', '*x', '&y', '# z', 'a: b', '<<', 'yes', 'off', ''),
  fc.string({ maxLength: 8 }),
);
/** `<<` as a key is a merge key, as for kubectl, unless it is quoted. */
const key = text.filter(each => each !== '<<');
const variable = fc.record(
  { name: fc.constantFrom('A', 'AWS_REGION', 'AWS_ROLE_ARN'), value: text },
  { requiredKeys: ['name'] },
);
const container = fc.record(
  {
    name: text,
    image: text,
    env: fc.option(fc.array(variable, { maxLength: 3 }), { nil: null }),
    extra: fc.dictionary(key, text),
  },
  { requiredKeys: ['name'] },
);
const podSpec = fc.record({
  containers: fc.array(container, { maxLength: 3 }),
  volumes: fc.constantFrom(undefined, null, []),
});
const metadata = fc.record(
  {
    name: text,
    namespace: fc.constantFrom('team-a', 'team-b'),
    annotations: fc.dictionary(key, text),
    labels: fc.constant(null),
  },
  { requiredKeys: ['namespace'] },
);
const pod = fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('Pod'), metadata, spec: podSpec });
const deployment = fc.record({
  apiVersion: fc.constant('apps/v1'),
  kind: fc.constant('Deployment'),
  metadata,
  spec: fc.record({ template: fc.record({ spec: podSpec }) }),
});
/** Containers that occur twice become an anchor and its alias. */
const sharing = pod.map(({ spec, ...rest }) => ({
  ...rest,
  spec: { ...spec, containers: [...spec.containers, ...spec.containers] },
}));
const object = fc.oneof(
  pod,
  deployment,
  sharing,
  pod.map(item => ({ apiVersion: 'v1', kind: 'List', items: [item] })),
);
const style = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  flowCollectionPadding: fc.boolean(),
  collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const),
});

async function outputs(
  stdin: string,
): Promise<{ yaml: readonly unknown[]; json: unknown; code: number; stdout: string }> {
  const argv = ['inject', '-f', '-', '--state', demoState];
  const [asYaml, asJson] = [await runCommand(argv, { stdin }), await runCommand([...argv, '-o', 'json'], { stdin })];
  assert.ok(asYaml.code < 2, `${asYaml.stderr}\n${stdin}`);
  assert.equal(asYaml.code, asJson.code);
  assert.equal(asYaml.stderr, asJson.stderr);
  const documents = parseAllDocuments(asYaml.stdout, kubectlYaml);
  const yaml = documents.flatMap(document => {
    assert.deepEqual(document.errors, []);
    const value = document.toJS();
    return value === null ? [] : value.kind === 'List' ? value.items : [value];
  });
  const parsed = JSON.parse(asJson.stdout);
  return { yaml, json: parsed.kind === 'List' ? parsed.items : [parsed], code: asYaml.code, stdout: asYaml.stdout };
}

test('whatever the objects and the style of the YAML: YAML and JSON tell the same, and a second run changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 3 }), style, async (objects, options) => {
      const input = objects
        .map(each => `---\n# before\n${stringify(each, { ...kubectlYaml, ...options })}`)
        .join('# after\n');
      const { yaml, json, stdout } = await outputs(input);
      assert.deepEqual(JSON.parse(JSON.stringify(yaml)), json);
      if (yaml.length === 0) return;
      const again = await outputs(stdout);
      assert.deepEqual(again.json, json);
      assert.equal(again.stdout, stdout);
    }),
    { numRuns: propertyRuns(30), interruptAfterTimeLimit: 20_000 },
  );
});
