/*
 * Writes the Go module of a version of kube-apiserver and kube-controller-manager: `node test/testbed/write-version.ts 1.33.13`. Needs
 * Go. In the module of Kubernetes each of its own libraries is replaced by a folder of its repository, and the list differs between
 * versions: here they become the published libraries of the same version.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { versionModule } from './binaries.ts';
import { goQuery } from './go-toolchain.ts';

const [, minor, patch] = /^1\.(\d+)\.(\d+)$/.exec(process.argv[2] ?? '') ?? [];
if (minor === undefined || patch === undefined)
  throw new Error('usage: node test/testbed/write-version.ts 1.MINOR.PATCH');

const kubernetes = `k8s.io/kubernetes@v1.${minor}.${patch}`;
const { GoMod } = JSON.parse(await goQuery(import.meta.dirname, ['mod', 'download', '-json', kubernetes]));
const libraries = [...readFileSync(GoMod, 'utf8').matchAll(/^\s*(?:replace )?(k8s\.io\/[a-z0-9-]+) => \.\/staging/gm)];
const folder = versionModule(`1.${minor}`);
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, 'go.mod'),
  `module github.com/carm-webhook/carm-webhook/test/testbed/versions/1.${minor}

go 1.26.0

tool (
	k8s.io/kubernetes/cmd/kube-apiserver
	k8s.io/kubernetes/cmd/kube-controller-manager
)

require k8s.io/kubernetes v1.${minor}.${patch}

replace (
${libraries.map(([, name]) => `\t${name} => ${name} v0.${minor}.${patch}`).join('\n')}
)
`,
);
await goQuery(folder, ['mod', 'tidy']);
