import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { serveFlags } from '../../src/cli/serve/serve.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { asList, only, renderBesideDeploy } from './manifests.ts';

interface PolicySpec {
  readonly podSelector: object;
  readonly ingress: readonly {
    readonly from: readonly object[];
    readonly ports: readonly { readonly port: string }[];
  }[];
}

const component = ['deploy/components/only-api-server'];
const page = await readFile(new URL('../../docs/install.md', import.meta.url), 'utf8');
const section = page.split('## Only the API server\n')[1]?.split('\n## ')[0] ?? '';
const { patches } = parse(/^```yaml\n([\s\S]*?)^```$/m.exec(section)?.[1] ?? '');

describe('deploy/components/only-api-server', () => {
  let plane: ControlPlane;

  before(
    async () => {
      plane = await ControlPlane.start();
      await plane.kubectl(['create', 'namespace', 'carm-webhook']);
    },
    { timeout: 60_000 },
  );
  after(() => plane?.stop());

  test('is denied by the API server until addresses are filled in', { timeout: 30_000 }, async () => {
    const policy = only(await renderBesideDeploy({ components: component }), 'NetworkPolicy');
    await assert.rejects(
      plane.kubectl(['apply', '-f', '-'], { input: asList([policy]) }),
      /API-SERVER-CIDR-IS-NOT-SET/,
    );
  });

  test('is taken with the patches of docs/install.md, and fits the Deployment', { timeout: 30_000 }, async () => {
    const manifests = await renderBesideDeploy({ components: component, patches });
    const policy = only(manifests, 'NetworkPolicy');
    const { stdout } = await plane.kubectl(['apply', '--validate=strict', '-f', '-'], { input: asList([policy]) });
    assert.match(stdout, /networkpolicy\.networking\.k8s\.io\/carm-webhook created/);
    const { podSelector, ingress } = policy['spec'] as PolicySpec;
    const ranges = [{ ipBlock: { cidr: '10.0.0.0/28' } }, { ipBlock: { cidr: '10.0.0.16/28' } }];
    assert.deepEqual(
      ingress.map(({ ports }) => ports[0]?.port),
      ['https', 'ops'],
    );
    assert.deepEqual(ingress[0]?.from, ranges);
    const { selector, template } = only(manifests, 'Deployment')['spec'] as {
      selector: object;
      template: { spec: { containers: readonly [{ args: readonly string[]; ports: readonly { name: string }[] }] } };
    };
    assert.deepEqual(podSelector, selector);
    const [{ args, ports }] = template.spec.containers;
    assert.deepEqual(
      ports.map(({ name }) => name),
      ['https', 'ops'],
    );
    const { apiServerCidrs } = readFlags(serveFlags, args.slice(1), {}).values;
    assert.deepEqual(
      apiServerCidrs.map(({ address, prefix }) => ({ ipBlock: { cidr: `${address}/${prefix}` } })),
      ranges,
    );
  });
});
