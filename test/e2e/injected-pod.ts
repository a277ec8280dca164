import assert from 'node:assert/strict';
import {
  type Container,
  injectedEnvironment,
  roleArnAnnotation,
  type StoredPod,
  storedTokenMount,
  storedTokenVolume,
} from './cluster-objects.ts';

/** Our mounts in a container. The ServiceAccount admission plugin adds one of its own. */
export function tokenMounts(container: Container): readonly object[] {
  return (container.volumeMounts ?? []).filter(({ name }) => name === storedTokenMount.name);
}

/** Our volumes in a pod. */
export function tokenVolumes({ spec }: StoredPod): readonly object[] {
  return (spec.volumes ?? []).filter(({ name }) => name === storedTokenVolume.name);
}

/** A container that had no environment got the whole one, and the mount. */
export function assertInjectedContainer(
  container: Container,
  roleArn: string,
  region?: string,
  sessionName?: string,
): void {
  const env = injectedEnvironment(roleArn, region, sessionName);
  assert.deepEqual(container.env, env, `the environment of ${container.name}`);
  assert.deepEqual(tokenMounts(container), [storedTokenMount], `the mounts of ${container.name}`);
}

/** A pod whose containers had no environment got everything: environment, mounts, volume and annotation. */
export function assertInjected(pod: StoredPod, roleArn: string, region?: string): void {
  const { spec, metadata } = pod;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    assertInjectedContainer(container, roleArn, region, `${metadata.namespace}.${spec.serviceAccountName}`);
  }
  assert.deepEqual(tokenVolumes(pod), [storedTokenVolume]);
  assert.equal(metadata.annotations?.[roleArnAnnotation], roleArn);
}

/** Nothing of ours is in a pod. */
export function assertUntouched(pod: StoredPod): void {
  const { spec, metadata } = pod;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    assert.deepEqual(tokenMounts(container), [], `the mounts of ${container.name}`);
    assert.deepEqual(
      (container.env ?? []).filter(({ name }) => name.startsWith('AWS_STS_') || name === 'AWS_WEB_IDENTITY_TOKEN_FILE'),
      [],
      `the environment of ${container.name}`,
    );
  }
  assert.deepEqual(tokenVolumes(pod), []);
  assert.equal(metadata.annotations?.[roleArnAnnotation], undefined);
}
