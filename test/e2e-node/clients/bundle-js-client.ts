import { join } from 'node:path';
import { build } from 'esbuild';

/** Writes `identity.ts` with the SDK as one file, which Node.js runs alone. The name must end in `.mjs`. */
export async function bundleJsClient(outFile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'identity.ts')],
    outfile: outFile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    legalComments: 'none',
    // Packages in CommonJS ask for built-in modules by `require`, which an ES module has not.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
    },
    logLevel: 'warning',
  });
}
