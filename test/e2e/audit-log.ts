import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event */
export interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted', 'Panic'],
  rules: [
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata', resources: [{ group: '' }, { group: 'apps' }, { group: 'batch' }] },
  ],
};

/** The audit log of one API server. https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
export class AuditLog {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'audit-log-'));
  readonly #file: string = join(this.#folder, 'audit.log');
  /** For kube-apiserver. */
  readonly flags: readonly string[];

  constructor() {
    const policyFile = join(this.#folder, 'policy.json');
    writeFileSync(policyFile, JSON.stringify(policy));
    this.flags = [`--audit-log-path=${this.#file}`, `--audit-policy-file=${policyFile}`];
  }

  /** All that was written, oldest first. The API server writes an event before the caller has its answer. */
  events(): readonly AuditEvent[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    // The last line may be half written.
    return lines.slice(0, -1).map(line => JSON.parse(line) as AuditEvent);
  }

  /** The last event of a call on an object. */
  last(verb: string, resource: string, namespace: string, name: string): AuditEvent | undefined {
    return this.events().findLast(
      ({ verb: v, objectRef: of }) =>
        v === verb && of?.resource === resource && of.namespace === namespace && of.name === name,
    );
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The annotations of one webhook entry, without its name. */
export function annotationsOf(event: AuditEvent | undefined, entry: string): Readonly<Record<string, string>> {
  const prefix = `${entry}/`;
  const own = Object.entries(event?.annotations ?? {}).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}
