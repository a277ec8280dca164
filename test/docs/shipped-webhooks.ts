/** The webhook configurations of deploy/, as `check` compares with them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { everyAckGroup } from '../../src/cli/check/installation/configuration-findings.ts';
import { configurationKinds } from '../../src/cli/sources/installation-source.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');

interface Shipped {
  readonly kind: string;
  readonly webhooks: readonly {
    readonly rules: readonly { readonly apiGroups: readonly string[] }[];
    readonly [field: string]: unknown;
  }[];
}

function isShipped(object: unknown): object is Shipped {
  const kinds: readonly unknown[] = configurationKinds;
  return typeof object === 'object' && object !== null && 'kind' in object && kinds.includes(object.kind);
}

/** Each configuration by its kind, with one word for ACK's groups and without where it is served. */
export function shippedWebhooks(): Readonly<Record<string, object>> {
  const files = readdirSync(deploy).filter(file => file.endsWith('.yaml'));
  const objects = files.flatMap(file =>
    parseAllDocuments(readFileSync(join(deploy, file), 'utf8')).map(document => document.toJS() as unknown),
  );
  return Object.fromEntries(
    objects.filter(isShipped).map(({ kind, webhooks }) => {
      const entries = webhooks.map(({ clientConfig: _, admissionReviewVersions: __, ...entry }) => ({
        ...entry,
        rules: entry.rules.map(rule => ({
          ...rule,
          apiGroups: rule.apiGroups.includes('s3.services.k8s.aws') ? [everyAckGroup] : rule.apiGroups,
        })),
      }));
      return [kind, { webhooks: entries }];
    }),
  );
}
