import type { IamStep } from '../../aws/iam/iam-step.ts';
import { accountOf } from './step-document.ts';

function documentOf(step: IamStep): Readonly<Record<string, unknown>> {
  const accountId = accountOf(step) ?? null;
  switch (step.kind) {
    case 'oidc-provider':
      return { kind: step.kind, accountId, url: step.url, clientIds: step.clientIds };
    case 'role':
      return { kind: step.kind, accountId, roleArn: step.role.text, trustPolicy: step.trust };
    case 'role-policy':
      return { kind: step.kind, accountId, roleArn: step.role.text, policyName: step.name, policy: step.policy };
    case 'resource-policy':
      return { kind: step.kind, accountId, resourceArn: step.resource.text, policy: step.policy };
  }
}

/** The steps as one JSON document, in their order. */
export function renderJson(steps: readonly IamStep[]): string {
  return `${JSON.stringify({ steps: steps.map(documentOf) }, undefined, 2)}\n`;
}
