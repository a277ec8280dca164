/** Shows what the built server answers, as a user of the cluster would see it; ends with code 1 if an answer is wrong. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import jsonPatch from 'fast-json-patch';
import { parse } from 'yaml';
import { DemoServer, type ReviewResponse } from './demo-server.ts';
import { reviewFor, type Scene, scenes } from './scenes.ts';
import { Terminal, wantsColour } from './terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const terminal = new Terminal(text => process.stdout.write(text), wantsColour(process.env, process.stdout));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

function patchedBy({ object }: Scene, { patch }: ReviewResponse): unknown {
  if (patch === undefined) return object;
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  return jsonPatch.applyPatch(structuredClone(object), operations, true).newDocument;
}

/** The words of kubectl. */
function show({ object, resource, webhook }: Scene, response: ReviewResponse, patched: unknown): void {
  for (const warning of response.warnings ?? []) terminal.line(`  ${terminal.paint('yellow', 'Warning:')} ${warning}`);
  if (response.status !== undefined) {
    const head = terminal.paint('red', 'Error from server (Forbidden):');
    terminal.line(`  ${head} admission webhook "${webhook}" denied the request: ${response.status.message}`);
    return;
  }
  if (response.patch !== undefined) terminal.diff(object, patched);
  const { kind, metadata } = object as { kind: string; metadata: { name: string } };
  const group = resource.group === '' ? '' : `.${resource.group}`;
  terminal.line(`  ${kind.toLowerCase()}${group}/${metadata.name} created`);
}

async function play(server: DemoServer): Promise<number> {
  const web = parse(await readFile(new URL('web.yaml', import.meta.url), 'utf8'));
  const list = scenes(web);
  for (const [index, scene] of list.entries()) {
    interrupted.signal.throwIfAborted();
    const uid = `demo-${index + 1}`;
    const response = await server.review(scene.endpoint, reviewFor(scene, uid));
    const patched = patchedBy(scene, response);
    terminal.line(terminal.paint('bold', `${index + 1}. ${scene.title}`));
    show(scene, response, patched);
    terminal.line();
    if (response.uid !== uid) throw new Error(`${scene.title}: the answer is of another review`);
    scene.expect(response, patched);
  }
  return list.length;
}

const startedAt = performance.now();
try {
  const server = await DemoServer.start(`${root}dist/carm-webhook.mjs`, `${root}test/demo/state`);
  let count = 0;
  try {
    terminal.line(terminal.paint('dim', `carm-webhook serves https://127.0.0.1:${server.port} on test/demo/state`));
    terminal.line();
    count = await play(server);
  } finally {
    await server.stop();
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  terminal.line(terminal.paint('green', `${count} of ${count} answers are as expected (${seconds} s).`));
  terminal.line(`
Try next:
  alias carm-webhook="'$PWD/node_modules/.bin/node' '$PWD/dist/carm-webhook.mjs'"
  carm-webhook inject -f test/demo/web.yaml --state test/demo/state -o diff
  carm-webhook why namespace team-b --state test/demo/state
  carm-webhook check --state test/demo/state
  make test`);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\ndemo: ${message}\n`);
  process.exitCode = 1;
}
