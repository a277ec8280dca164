import { injectedEnv, pod, podWithEnv, workload } from './manifests.ts';
import type { Row } from './row.ts';
import { foreignRole, role } from './state.ts';

/** Modes soften denials only. */

const planted = (namespace: string) => podWithEnv([{ name: 'AWS_ROLE_ARN', value: foreignRole }], { namespace });

export const modeRows: readonly Row[] = [
  {
    proves: 'mode warn: allowed and unpatched, with the message as a warning',
    review: { object: pod({ namespace: 'unmapped-warn' }) },
    reason: 'AccountNotMapped',
    outcome: 'warned',
    says: ['Pod "web" in namespace "unmapped-warn"', 'Ask your platform team to'],
    after: { '/spec/containers/0/env': undefined },
  },
  {
    proves: 'mode audit: allowed, said by audit annotation and metric only',
    review: { object: pod({ namespace: 'unmapped-audit' }) },
    reason: 'AccountNotMapped',
    outcome: 'audited',
  },
  {
    proves: "the namespace's mode label wins over the default mode",
    server: 'warning',
    review: { object: pod({ namespace: 'unmapped-enforce' }) },
    reason: 'AccountNotMapped',
    outcome: 'denied',
  },
  {
    proves: '--default-mode=warn holds for namespaces without a label',
    server: 'warning',
    review: { object: pod({ namespace: 'unmapped' }) },
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    proves: '--default-mode=audit holds for namespaces without a label',
    server: 'auditing',
    review: { object: pod({ namespace: 'unmapped' }) },
    reason: 'AccountNotMapped',
    outcome: 'audited',
  },
  {
    proves: 'a mode label that is no mode leaves the default mode',
    review: { object: pod({ namespace: 'unmapped-odd-mode' }) },
    reason: 'AccountNotMapped',
    outcome: 'denied',
  },
  {
    proves: 'valid pods are injected in mode warn',
    review: { object: pod({ namespace: 'shop-warn' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/0/env': injectedEnv(role, { namespace: 'shop-warn' }) },
  },
  {
    proves: 'valid pods are injected in mode audit',
    review: { object: pod({ namespace: 'shop-audit' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/0/env': injectedEnv(role, { namespace: 'shop-audit' }) },
  },
  {
    proves: 'the boundary is softened by mode warn too: what would be denied passes unpatched',
    review: { object: planted('shop-warn') },
    reason: 'RoleOutsideAccount',
    outcome: 'warned',
    after: { '/spec/volumes/1': undefined },
  },
  {
    proves: 'the boundary is softened by mode audit on /validate too',
    endpoint: 'validate',
    review: { object: planted('shop-audit') },
    reason: 'RoleOutsideAccount',
    outcome: 'audited',
  },
  ...(['warn', 'audit'] as const).map(
    (mode): Row => ({
      proves: `mode ${mode}: a pod that /mutate let pass is told of by /validate too, where all that is softened is counted`,
      endpoint: 'validate',
      review: { object: pod({ namespace: `unmapped-${mode}` }) },
      reason: 'AccountNotMapped',
      outcome: mode === 'warn' ? 'warned' : 'audited',
    }),
  ),
  {
    proves: 'mode warn: a role of another account in the map is told of by /validate too',
    endpoint: 'validate',
    server: 'warning',
    review: { object: pod({ namespace: 'mismatch' }) },
    reason: 'AccountMismatch',
    outcome: 'warned',
  },
  {
    proves: 'mode warn: a map that is missing is told of by /validate too',
    endpoint: 'validate',
    server: 'no-maps',
    review: { object: pod({ namespace: 'shop-warn' }) },
    reason: 'AccountMapMissing',
    outcome: 'warned',
  },
  {
    proves: 'mode enforce: /validate does not ask for a role, which /mutate has',
    endpoint: 'validate',
    review: { object: pod({ namespace: 'unmapped-enforce' }) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'mode warn: a pod that opted out is told of by neither endpoint',
    endpoint: 'validate',
    review: { object: pod({ namespace: 'unmapped-warn', labels: { 'carm-webhook.dev/inject': 'disabled' } }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'mode warn: an injected pod is in order at /validate',
    endpoint: 'validate',
    review: { object: podWithEnv(injectedEnv(role), { namespace: 'shop-warn' }) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace that does not exist has the default mode',
    server: 'warning',
    review: { object: pod({ namespace: 'nowhere' }) },
    reason: 'NamespaceNotFound',
    outcome: 'warned',
  },
  {
    proves: 'a dry run follows the mode',
    review: { object: pod({ namespace: 'unmapped-warn' }), dryRun: true },
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    proves: 'a workload in a namespace of mode audit is not warned of',
    endpoint: 'validate',
    review: { ...workload('Deployment', pod(), { namespace: 'unmapped-audit' }), kind: 'Deployment' },
    reason: 'AccountNotMapped',
    outcome: 'audited',
  },
];
