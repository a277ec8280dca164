import { type Container, type PodFields, pod } from '../e2e/cluster-objects.ts';
import { nodeAddress } from '../testbed/node/node-settings.ts';
import { boto3Image, type HostAliases, jsSdkImage } from './images.ts';
import { defaultRegions } from './sts-certificate.ts';
import type { Sdk } from './sts-stand-in.ts';

export type ClientSdk = Exclude<Sdk, 'other'>;

export const clientSdks: readonly ClientSdk[] = ['boto3', 'js'];

export const clientImageOf: Readonly<Record<ClientSdk, string>> = { boto3: boto3Image, js: jsSdkImage };

/** By it a pod finds the STS stand-in under AWS's names. */
export const stsAliases: HostAliases = {
  ip: nodeAddress,
  hostnames: ['sts.amazonaws.com', ...defaultRegions.map(region => `sts.${region}.amazonaws.com`)],
};

export interface ClientFields extends Partial<Container> {
  /** Arguments of the client: see clients/. Without any it asks once and ends. */
  readonly args?: readonly string[];
}

/** A container that asks STS who it is, named after its SDK if nothing else is said. */
export function client(sdk: ClientSdk, fields: ClientFields = {}): Container {
  return { name: sdk, image: clientImageOf[sdk], imagePullPolicy: 'Never', ...fields };
}

/** One of each SDK. */
export function clients(fields: ClientFields = {}): readonly Container[] {
  return clientSdks.map(sdk => client(sdk, fields));
}

/** What every pod with clients has; one of each SDK, if nothing else is said. */
export function clientPodFields(fields: PodFields = {}): PodFields {
  return { hostAliases: [stsAliases], terminationGracePeriodSeconds: 1, containers: clients(), ...fields };
}

/** A pod that is not started again. */
export function clientPod(namespace: string, name: string, fields: PodFields = {}): object {
  return pod(namespace, name, clientPodFields({ restartPolicy: 'Never', ...fields }));
}
