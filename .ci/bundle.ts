/** Makes dist/: the program, what its commands load when they run, and the licences of what is in it. */

import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';

const outdir = 'dist';
const program = join(outdir, 'carm-webhook.mjs');

/**
 * Of client-node we use KubeConfig, and of that what reads files and makes options for node:https. Its modules only define
 * things, but it does not say so: without this, esbuild keeps a thousand generated classes that nothing uses. (The one with
 * an effect, `polyfill.js`, is for Node.js 18.)
 */
const kubeConfigOnly: Plugin = {
  name: 'kube-config-only',
  setup({ onResolve, resolve }) {
    const home = ['node_modules', '@kubernetes', 'client-node', ''].join(sep);
    onResolve(
      { filter: /^(?:@kubernetes\/client-node$|\.)/ },
      async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === home || (path.startsWith('.') && !importer.includes(home))) return undefined;
        const { errors, warnings, ...resolved } = await resolve(path, { kind, importer, resolveDir, pluginData: home });
        return errors.length > 0 ? { errors, warnings } : { path: resolved.path, sideEffects: false };
      },
    );
  },
};

/**
 * What packages load and we never call: client-node speaks by undici, which takes 100 ms and 28 MiB to load, where we take
 * its options for node:https; Express hands out body parsers, where each review's body has a reader of ours. AWS's client of
 * STS comes with every way to find credentials on a machine, and is always given its own: without them it cannot use others.
 */
const leftOut: Plugin = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    const users = {
      undici: '@kubernetes/client-node',
      'body-parser': 'express',
      '@aws-sdk/credential-provider-node': '@aws-sdk/client-sts',
    };
    onResolve({ filter: /^(?:undici|body-parser|@aws-sdk\/credential-provider-node)$/ }, ({ path, importer }) => {
      const user = join('node_modules', ...users[path as keyof typeof users].split('/'), sep);
      return importer.includes(user) ? { path, namespace: 'left-out', sideEffects: false } : undefined;
    });
    onLoad({ filter: /^undici$/, namespace: 'left-out' }, () => ({
      contents: `function leftOut() { throw new Error('undici is not in this bundle'); }
        export { leftOut as Agent, leftOut as ProxyAgent, leftOut as fetch };`,
    }));
    onLoad({ filter: /credential-provider-node$/, namespace: 'left-out' }, () => ({
      contents: `export function defaultProvider() { throw new Error('credentials of the machine are not used'); }`,
    }));
    onLoad({ filter: /^body-parser$/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};

await rm(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { 'carm-webhook': 'src/main.ts' },
  outdir,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // What a command does not run is not even parsed.
  splitting: true,
  plugins: [kubeConfigOnly, leftOut],
  platform: 'node',
  // What a package has as ES modules loses what nothing uses.
  mainFields: ['module', 'main'],
  target: 'node24',
  format: 'esm',
  metafile: true,
  legalComments: 'none',
  // Packages in CommonJS ask for built-in modules by `require`, which an ES module has not.
  banner: {
    js: [
      '#!/usr/bin/env node',
      "import { createRequire as createRequireOfBundle } from 'node:module';",
      'const require = createRequireOfBundle(import.meta.url);',
      // In one line, before anything that an old Node.js has not is met.
      "if (parseInt(process.versions.node) < 24) { console.error('carm-webhook needs Node.js 24 or later, this is ' + process.versions.node); process.exit(2); }",
    ].join('\n'),
  },
  logLevel: 'warning',
});
await chmod(program, 0o755);

const packagePath = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const folders = new Set(Object.keys(metafile.inputs).flatMap(input => packagePath.exec(input)?.[1] ?? []));
const licences: string[] = [];
for (const folder of [...folders].sort()) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  const files = (await readdir(folder)).filter(file => /^(?:licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')));
  licences.push([`${name} ${version} (${license})`, ...texts.map(text => text.trim())].join('\n\n'));
}
await writeFile(join(outdir, 'THIRD-PARTY-LICENSES.txt'), `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
process.stdout.write(`${program}, with ${licences.length} packages\n`);
