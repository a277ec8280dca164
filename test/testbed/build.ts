/*
 * Builds the programs of the test bed that this user does not have yet: etcd, kube-apiserver, kube-controller-manager, kubectl,
 * cert-manager's controllers, promlint, Helm 4, crane and actionlint; with KUBERNETES=1.30 also that version of kube-apiserver and
 * kube-controller-manager; with `--node` also those of a node (kubelet, containerd and others), and installs the
 * Debian packages that it needs. With `--helm=v4` or `--helm=v3` that Helm alone, whose path it prints at its end; with
 * `--release` Helm 4, crane and actionlint alone. `node test/testbed/build.ts
 * [--node | --helm=VERSION | --release]`; exit code 0 when all are there, 1 when a build fails, 2 when there is neither a Go to build with nor a folder of
 * prebuilt programs, or when this machine cannot run a node.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assetsFolder,
  certManagerFolder,
  certManagerModule,
  chosenKubernetes,
  containerdFolder,
  containerdModule,
  controlPlaneFolder,
  controlPlaneModule,
  defaultKubernetes,
  type HelmVersion,
  helmFolder,
  helmModule,
  helmProgram,
  helmVersions,
  inspectAssets,
  monitoringDefinitions,
  monitoringVersion,
  nodeFolder,
  nodeModule,
  promlintFolder,
  promlintModule,
  releaseToolsFolder,
  releaseToolsModule,
  TestbedMissing,
  UnsuitableKubernetes,
  versionFolder,
  versionModule,
  versionPrograms,
} from './binaries.ts';
import { buildModule, type ModulePlan } from './build-module.ts';
import { GoFailed, GoMissing, goQuery } from './go-toolchain.ts';
import { installNodePackages } from './node/packages.ts';
import { NodeRequirementMissing } from './node/requirements.ts';

const certManager = 'github.com/cert-manager/cert-manager';

const howToGet = `Get one of these:
  - Go 1.26 or later from https://go.dev/dl/, then run this again: it builds everything once, in about 10 minutes;
  - prebuilt programs: go to https://book.kubebuilder.io/reference/envtest, run "setup-envtest use -p path" and set
    KUBEBUILDER_ASSETS to the folder that it prints (kube-apiserver, etcd, kubectl; no kube-controller-manager).`;

/** kubectl and helm refuse a server without a version, so it is stamped as Kubernetes' own build does. */
function kubernetesLinkerFlags(moduleFolder = controlPlaneModule): string {
  const goMod = readFileSync(join(moduleFolder, 'go.mod'), 'utf8');
  const [, version, major, minor] = /^(?:require)?\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/m.exec(goMod) ?? [];
  if (version === undefined) {
    throw new Error(`${moduleFolder}/go.mod does not require k8s.io/kubernetes`);
  }
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const flags = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...flags].join(' ');
}

/** cert-manager's module carries its CustomResourceDefinitions; tests must find them without Go. */
async function copyCertManagerDefinitions(folder: string): Promise<void> {
  const module = await goQuery(certManagerModule, ['list', '-m', '-f', '{{.Dir}}', certManager]);
  const source = join(module, 'deploy', 'crds');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(source).filter(name => name.endsWith('.yaml'))) {
    // Not a copy of the file: those of Go's module cache may not be written.
    writeFileSync(join(folder, file), readFileSync(join(source, file)));
  }
}

/** The Prometheus operator's module carries its CustomResourceDefinitions too; nothing of it is built. */
async function copyMonitoringDefinitions(folder: string): Promise<void> {
  const module = `github.com/prometheus-operator/prometheus-operator@${monitoringVersion}`;
  const { Dir } = JSON.parse(await goQuery(helmModule('v4'), ['mod', 'download', '-json', module]));
  mkdirSync(folder, { recursive: true });
  for (const kind of ['podmonitors', 'prometheusrules', 'servicemonitors']) {
    const file = `monitoring.coreos.com_${kind}.yaml`;
    writeFileSync(join(folder, file), readFileSync(join(Dir, 'example', 'prometheus-operator-crd', file)));
  }
}

function controlPlanePlan(): ModulePlan {
  return {
    moduleFolder: controlPlaneModule,
    targetFolder: controlPlaneFolder(),
    programs: new Map([
      ['etcd', 'go.etcd.io/etcd/server/v3'],
      ['kubectl', 'k8s.io/kubernetes/cmd/kubectl'],
      ['kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver'],
      ['kube-controller-manager', 'k8s.io/kubernetes/cmd/kube-controller-manager'],
    ]),
    linkerFlags: kubernetesLinkerFlags(),
  };
}

function versionPlan(version: string): ModulePlan {
  const moduleFolder = versionModule(version);
  return {
    moduleFolder,
    targetFolder: versionFolder(version),
    programs: new Map(versionPrograms.map(name => [name, `k8s.io/kubernetes/cmd/${name}`])),
    linkerFlags: kubernetesLinkerFlags(moduleFolder),
  };
}

function certManagerPlan(): ModulePlan {
  return {
    moduleFolder: certManagerModule,
    targetFolder: certManagerFolder(),
    programs: new Map([['cert-manager', '.']]),
    linkerFlags: '-s -w',
    extra: { name: 'crds', write: copyCertManagerDefinitions },
  };
}

function promlintPlan(): ModulePlan {
  return {
    moduleFolder: promlintModule,
    targetFolder: promlintFolder(),
    programs: new Map([['promlint', '.']]),
    linkerFlags: '-s -w',
  };
}

function releaseToolsPlan(): ModulePlan {
  return {
    moduleFolder: releaseToolsModule,
    targetFolder: releaseToolsFolder(),
    programs: new Map([
      ['crane', 'github.com/google/go-containerregistry/cmd/crane'],
      ['actionlint', 'github.com/rhysd/actionlint/cmd/actionlint'],
    ]),
    linkerFlags: '-s -w',
  };
}

function helmPlan(version: HelmVersion): ModulePlan {
  const major = `helm.sh/helm/${version}`;
  const goMod = readFileSync(join(helmModule(version), 'go.mod'), 'utf8');
  const library = (module: string): readonly string[] =>
    new RegExp(`^\\s*${module} v(\\d+)[.](\\d+)\\S*`, 'm').exec(goMod) ?? [];
  const [, , minor = ''] = library('k8s.io/client-go');
  const [own = ''] = library(major);
  const stamps = {
    [`${major}/internal/version.version`]: own.trim().split(' ')[1],
    // Helm 3 takes a cluster that it does not ask for Kubernetes 1.20 without these.
    ...(version === 'v3' && {
      [`${major}/pkg/chartutil.k8sVersionMajor`]: '1',
      [`${major}/pkg/chartutil.k8sVersionMinor`]: minor,
      [`${major}/pkg/lint/rules.k8sVersionMajor`]: '1',
      [`${major}/pkg/lint/rules.k8sVersionMinor`]: minor,
    }),
  };
  const flags = Object.entries(stamps).map(([name, value]) => `-X ${name}=${value}`);
  return {
    moduleFolder: helmModule(version),
    targetFolder: helmFolder(version),
    programs: new Map([['helm', `${major}/cmd/helm`]]),
    linkerFlags: ['-s', '-w', ...flags].join(' '),
    ...(version === 'v4' && {
      extra: { name: monitoringDefinitions, write: copyMonitoringDefinitions },
    }),
  };
}

function nodePlans(): readonly ModulePlan[] {
  return [
    {
      moduleFolder: containerdModule,
      targetFolder: containerdFolder(),
      programs: new Map(
        ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(name => [
          name,
          `github.com/containerd/containerd/v2/cmd/${name}`,
        ]),
      ),
      linkerFlags: '-s -w',
      // Snapshotters that are not used, and of which one needs C.
      tags: ['no_btrfs', 'no_devmapper', 'no_zfs'],
    },
    {
      moduleFolder: nodeModule,
      targetFolder: nodeFolder(),
      programs: new Map(
        ['kubelet', 'kube-proxy', 'kube-scheduler'].map(name => [name, `k8s.io/kubernetes/cmd/${name}`]),
      ),
      linkerFlags: kubernetesLinkerFlags(),
    },
  ];
}

function report(line: string): void {
  process.stdout.write(`testbed: ${line}\n`);
}

function checkAssets(folder: string): void {
  const { missing, missingOptional } = inspectAssets(folder);
  if (missing.length > 0) {
    throw new TestbedMissing(`KUBEBUILDER_ASSETS (${folder}) has no ${missing.join(', no ')}`);
  }
  report(`etcd, kube-apiserver and kubectl are taken from KUBEBUILDER_ASSETS (${folder})`);
  for (const program of missingOptional) {
    report(`${program} is not there: tests that need it will say so`);
  }
}

async function build(signal: AbortSignal): Promise<void> {
  const helm = helmVersions.find(version => process.argv.includes(`--helm=${version}`));
  if (helm !== undefined) {
    await buildModule(helmPlan(helm), report, signal);
    report(`Helm is ${helmProgram(helm)}`);
    return;
  }
  if (process.argv.includes('--release')) {
    await buildModule(helmPlan('v4'), report, signal);
    await buildModule(releaseToolsPlan(), report, signal);
    report(`crane and actionlint are in ${releaseToolsFolder()}, Helm is ${helmProgram('v4')}`);
    return;
  }
  // What is wrong with KUBERNETES is said before anything takes long.
  const version = chosenKubernetes();
  const withNode = process.argv.includes('--node');
  if (withNode && version !== undefined) {
    throw new UnsuitableKubernetes(`KUBERNETES is ${version}: a node can only be had of ${defaultKubernetes}`);
  }
  // What cannot be had is said before minutes of building.
  if (withNode) await installNodePackages(report);
  await buildControlPlane(signal);
  if (version !== undefined) await buildModule(versionPlan(version), report, signal);
  if (withNode) {
    for (const plan of nodePlans()) await buildModule(plan, report, signal);
  }
}

async function buildControlPlane(signal: AbortSignal): Promise<void> {
  const assets = assetsFolder();
  if (assets === undefined) {
    await buildModule(controlPlanePlan(), report, signal);
    await buildModule(certManagerPlan(), report, signal);
    await buildModule(promlintPlan(), report, signal);
    await buildModule(helmPlan('v4'), report, signal);
    await buildModule(releaseToolsPlan(), report, signal);
    return;
  }
  checkAssets(assets);
  try {
    await buildModule(certManagerPlan(), report, signal);
    await buildModule(promlintPlan(), report, signal);
    await buildModule(helmPlan('v4'), report, signal);
    await buildModule(releaseToolsPlan(), report, signal);
  } catch (error) {
    if (!(error instanceof GoMissing)) {
      throw error;
    }
    report(
      `cert-manager's controllers, promlint, Helm, crane and actionlint are not there and cannot be built (${error.message}): tests that need them will say so`,
    );
  }
}

async function main(): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interruption.abort());
  }
  try {
    await build(interruption.signal);
    report('complete');
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) {
      process.stderr.write('testbed: interrupted; what was compiled so far is in the cache of Go\n');
      return 130;
    }
    if (error instanceof NodeRequirementMissing || error instanceof UnsuitableKubernetes) {
      process.stderr.write(`testbed: ${error.message}\n`);
      return 2;
    }
    if (error instanceof GoMissing || error instanceof TestbedMissing) {
      process.stderr.write(`testbed: ${error.message}.\n${howToGet}\n`);
      return 2;
    }
    if (error instanceof GoFailed) {
      process.stderr.write(`testbed: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

process.exitCode = await main();
