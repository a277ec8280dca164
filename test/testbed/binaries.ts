import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The programs of a control plane; `kube-controller-manager` is not part of what setup-envtest installs. */
export const controlPlanePrograms = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
export type ControlPlaneProgram = (typeof controlPlanePrograms)[number];

const requiredAssets: readonly ControlPlaneProgram[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** An error to be thrown when a program of the test bed is not there; the message says how to get it. */
export class TestbedMissing extends Error {
  override readonly name = 'TestbedMissing';
  readonly code = 'TestbedMissing';
}

/**
 * The folder for what a Go module's files build, shared by all clones of a user: it is named after their content (the first 16
 * hex digits of the SHA-256 over the files in the order given), so that an edit of one builds anew and beside the old.
 */
export function cacheFolder(moduleFolder: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(readFileSync(join(moduleFolder, file)));
  }
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'carm-webhook', 'testbed', hash.digest('hex').slice(0, 16));
}

/** The Go module of the control plane, and where its programs go. */
export const controlPlaneModule = import.meta.dirname;
export const controlPlaneFolder = (): string => cacheFolder(controlPlaneModule, ['go.mod', 'go.sum']);

/** An error to be thrown when KUBERNETES asks for what cannot be had; the message says what can. */
export class UnsuitableKubernetes extends Error {
  override readonly name = 'UnsuitableKubernetes';
  readonly code = 'UnsuitableKubernetes';
}

/** The version that `make e2e` runs on without KUBERNETES: that of the control plane's own module. */
export const defaultKubernetes = '1.36';
/** The Go modules of other versions of kube-apiserver and kube-controller-manager, each with the libraries of that version. */
const versionModules = join(import.meta.dirname, 'versions');
export const otherKubernetes = (): readonly string[] => readdirSync(versionModules).sort();
export const versionModule = (version: string): string => join(versionModules, version);
export const versionFolder = (version: string): string => cacheFolder(versionModule(version), ['go.mod', 'go.sum']);

/** KUBERNETES, such as `1.30`; undefined for the default. @throws {UnsuitableKubernetes} */
export function chosenKubernetes(): string | undefined {
  const chosen = process.env['KUBERNETES'] || defaultKubernetes;
  if (chosen === defaultKubernetes) return undefined;
  const known = otherKubernetes();
  if (!known.includes(chosen)) {
    throw new UnsuitableKubernetes(`KUBERNETES is ${chosen}: it can be ${[...known, defaultKubernetes].join(', ')}`);
  }
  const assets = assetsFolder();
  if (assets !== undefined) {
    throw new UnsuitableKubernetes(
      `KUBERNETES is ${chosen}, and KUBEBUILDER_ASSETS (${assets}) brings a version of its own: unset one`,
    );
  }
  return chosen;
}

/** The Go module of cert-manager's controllers, and where the program (`cert-manager`) and the CRDs (`crds/`) go. */
export const certManagerModule = join(import.meta.dirname, 'cert-manager');
export const certManagerFolder = (): string => cacheFolder(certManagerModule, ['go.mod', 'go.sum', 'main.go']);

/** The Go module of the linter of metrics, and where its program (`promlint`) goes. */
export const promlintModule = join(import.meta.dirname, 'promlint');
export const promlintFolder = (): string => cacheFolder(promlintModule, ['go.mod', 'go.sum', 'main.go']);

/** The Go module of what a release is made and checked with (crane, which is a registry too, and actionlint), and where they go. */
export const releaseToolsModule = join(import.meta.dirname, 'release-tools');
export const releaseToolsFolder = (): string => cacheFolder(releaseToolsModule, ['go.mod', 'go.sum']);
export type ReleaseTool = 'actionlint' | 'crane';

/** The path of such a tool. @throws {TestbedMissing} */
export function releaseTool(tool: ReleaseTool): string {
  const path = join(releaseToolsFolder(), tool);
  if (!isExecutable(path)) throw new TestbedMissing(`${path} is not built: run "make testbed" first (it needs Go)`);
  return path;
}

/** The Go modules of Helm, each in a module of its own, so that kube-apiserver is not built again, and where the programs (`helm`) go. */
export const helmVersions = ['v4', 'v3'] as const;
export type HelmVersion = (typeof helmVersions)[number];
export const helmModule = (version: HelmVersion): string => join(import.meta.dirname, 'helm', version);
export const helmFolder = (version: HelmVersion): string => cacheFolder(helmModule(version), ['go.mod', 'go.sum']);

/** CustomResourceDefinitions of the Prometheus operator: their version, and the folder beside Helm 4 that they lie in. */
export const monitoringVersion = 'v0.85.0';
export const monitoringDefinitions = `prometheus-operator-${monitoringVersion}`;

/** The Helm to test with, if `build.ts` has built it. */
export function builtHelm(version: HelmVersion): string | undefined {
  const path = join(helmFolder(version), 'helm');
  return isExecutable(path) ? path : undefined;
}

/** The path of Helm. @throws {TestbedMissing} */
export function helmProgram(version: HelmVersion = 'v4'): string {
  const path = builtHelm(version);
  if (path !== undefined) return path;
  const how = version === 'v4' ? 'make testbed' : `node test/testbed/build.ts --helm=${version}`;
  throw new TestbedMissing(`${join(helmFolder(version), 'helm')} is not built: run "${how}" first (it needs Go)`);
}

/** The Go modules of a node's programs, and where those go. */
export const nodeModule = join(import.meta.dirname, 'node', 'kubernetes');
export const nodeFolder = (): string => cacheFolder(nodeModule, ['go.mod', 'go.sum']);
export const containerdModule = join(import.meta.dirname, 'node', 'containerd');
export const containerdFolder = (): string => cacheFolder(containerdModule, ['go.mod', 'go.sum']);

/** The folder of KUBEBUILDER_ASSETS, the convention of setup-envtest. https://book.kubebuilder.io/reference/envtest */
export function assetsFolder(): string | undefined {
  return process.env['KUBEBUILDER_ASSETS'] || undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Assets {
  readonly folder: string;
  /** Programs without which no control plane starts. */
  readonly missing: readonly ControlPlaneProgram[];
  /** Programs that only some tests need. */
  readonly missingOptional: readonly ControlPlaneProgram[];
}

/** What lies in a folder of prebuilt programs. */
export function inspectAssets(folder: string): Assets {
  const absent = controlPlanePrograms.filter(program => !isExecutable(join(folder, program)));
  return {
    folder,
    missing: absent.filter(program => requiredAssets.includes(program)),
    missingOptional: absent.filter(program => !requiredAssets.includes(program)),
  };
}

/** What differs between versions; etcd and kubectl are those of the default. */
export const versionPrograms: readonly ControlPlaneProgram[] = ['kube-apiserver', 'kube-controller-manager'];

/**
 * The path of a control plane's program: in KUBEBUILDER_ASSETS when that is set, else as `build.ts` built it, of the version that
 * KUBERNETES names.
 * @throws {TestbedMissing}
 * @throws {UnsuitableKubernetes}
 */
export function controlPlaneProgram(program: ControlPlaneProgram): string {
  const assets = assetsFolder();
  const version = versionPrograms.includes(program) ? chosenKubernetes() : undefined;
  const path = join(assets ?? (version === undefined ? controlPlaneFolder() : versionFolder(version)), program);
  if (isExecutable(path)) {
    return path;
  }
  throw new TestbedMissing(
    assets === undefined
      ? `${path} is not built: run "make testbed${version === undefined ? '' : ` KUBERNETES=${version}`}" first`
      : `KUBEBUILDER_ASSETS has no ${program} (${path}): put it there, or unset KUBEBUILDER_ASSETS and run "make testbed"`,
  );
}

/** What a node runs, by the folder that it is built into. containerd finds its shim beside itself. */
const nodePrograms = {
  containerd: containerdFolder,
  ctr: containerdFolder,
  'kube-proxy': nodeFolder,
  'kube-scheduler': nodeFolder,
  kubelet: nodeFolder,
} as const;
export type NodeProgram = keyof typeof nodePrograms;
export const nodeProgramNames = Object.keys(nodePrograms) as readonly NodeProgram[];

/** The path of a node's program. @throws {TestbedMissing} */
export function nodeProgram(program: NodeProgram): string {
  const path = join(nodePrograms[program](), program);
  if (!isExecutable(path)) throw new TestbedMissing(`${path} is not built: run "make testbed-node" first`);
  return path;
}
