import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { chartFolder, repositoryFolder } from '../deploy/helm.ts';
import {
  chosenKubernetes,
  controlPlaneModule,
  defaultKubernetes,
  otherKubernetes,
  UnsuitableKubernetes,
  versionModule,
} from './binaries.ts';

const text = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');

/** What KUBERNETES, and KUBEBUILDER_ASSETS with it, choose. */
function chosenWith(kubernetes: string, assets = ''): string | undefined {
  const { KUBERNETES, KUBEBUILDER_ASSETS } = process.env;
  Object.assign(process.env, { KUBERNETES: kubernetes, KUBEBUILDER_ASSETS: assets });
  try {
    return chosenKubernetes();
  } finally {
    Object.assign(process.env, { KUBERNETES: KUBERNETES ?? '', KUBEBUILDER_ASSETS: KUBEBUILDER_ASSETS ?? '' });
  }
}

describe('the versions of Kubernetes that the tests run on', () => {
  test('the default is that of the control plane', () => {
    const [, minor] = /k8s\.io\/kubernetes v(\d+\.\d+)\./.exec(text(controlPlaneModule, 'go.mod')) ?? [];
    assert.equal(minor, defaultKubernetes);
  });

  test('each other one has the libraries of its own version, and no other', () => {
    for (const version of otherKubernetes()) {
      const goMod = text(versionModule(version), 'go.mod');
      const [, minor, patch] = /k8s\.io\/kubernetes v1\.(\d+)\.(\d+)/.exec(goMod) ?? [];
      assert.equal(`1.${minor}`, version);
      const replaced = [...goMod.matchAll(/=> (k8s\.io\/\S+ v\S+)/g)].map(([, library]) => library ?? '');
      assert.ok(replaced.length > 25, version);
      for (const library of replaced) assert.ok(library.endsWith(` v0.${minor}.${patch}`), library);
    }
  });

  test('the oldest is the least that the chart installs on, the newest the default', () => {
    const versions = [...otherKubernetes(), defaultKubernetes];
    const { kubeVersion } = parse(text(chartFolder, 'Chart.yaml'));
    assert.equal(kubeVersion, `>=${versions[0]}.0-0`);
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    );
  });

  test('the nightly workflow has them all', () => {
    const { jobs } = parse(text(repositoryFolder, '.github', 'workflows', 'nightly.yaml'));
    assert.deepEqual(jobs.e2e.strategy.matrix.kubernetes, [...otherKubernetes(), defaultKubernetes]);
  });

  test('KUBERNETES chooses one', () => {
    assert.equal(chosenWith(''), undefined);
    assert.equal(chosenWith(defaultKubernetes), undefined);
    for (const version of otherKubernetes()) assert.equal(chosenWith(version), version);
  });

  test('one that is not there, or beside programs that bring their own: what to do', () => {
    assert.throws(() => chosenWith('1.29'), new UnsuitableKubernetes('KUBERNETES is 1.29: it can be 1.30, 1.33, 1.36'));
    assert.throws(() => chosenWith('../promlint'), UnsuitableKubernetes);
    assert.throws(() => chosenWith('1.30', '/assets'), /KUBEBUILDER_ASSETS \(\/assets\) brings .*: unset one$/);
  });
});
