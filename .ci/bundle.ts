/** Makes dist/: the program in one file, and the licences of what is in it. */

import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const outfile = 'dist/carm-webhook.mjs';

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
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
await chmod(outfile, 0o755);

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
await mkdir('dist', { recursive: true });
await rm('dist/THIRD-PARTY-LICENSES.txt', { force: true });
await writeFile('dist/THIRD-PARTY-LICENSES.txt', `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
process.stdout.write(`${outfile}, with ${licences.length} packages\n`);
