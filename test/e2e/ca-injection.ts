import type { ControlPlane } from '../testbed/control-plane.ts';
import { eventually } from './eventually.ts';
import type { WebhookConfiguration } from './manifests.ts';

const configurations = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;

/** The CA of each entry of the configurations that are installed, as PEM; '' where there is none. */
export async function installedCas(plane: ControlPlane): Promise<readonly string[]> {
  const installed = await Promise.all(
    configurations.map(kind =>
      plane.request<WebhookConfiguration>('GET', `/apis/admissionregistration.k8s.io/v1/${kind}/zz-carm-webhook`),
    ),
  );
  return installed.flatMap(({ body }) =>
    body.webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')),
  );
}

/** The `caBundle` of each entry that is installed, as it is written, with a space between; '' where there is no entry. */
export async function installedCaBundles(plane: ControlPlane): Promise<string> {
  const kinds = 'mutatingwebhookconfiguration,validatingwebhookconfiguration';
  const bundles = 'jsonpath={.items[*].webhooks[*].clientConfig.caBundle}';
  return (await plane.kubectl(['get', kinds, '-o', bundles])).stdout;
}

/**
 * Waits until cert-manager has written its CA into every entry. Whoever points the configurations elsewhere before, could have it
 * written over their own.
 */
export async function untilCaInjected(plane: ControlPlane): Promise<readonly string[]> {
  return eventually(
    'cert-manager has written its CA into every entry',
    async () => {
      const cas = await installedCas(plane);
      return cas.every(ca => ca !== '') ? cas : undefined;
    },
    20_000,
  );
}
