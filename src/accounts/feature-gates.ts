/**
 * Feature gates as ACK's controllers take them: `ServiceLevelCARM=true,TeamLevelCARM=true`.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/featuregate/features.go
 */
const gates = {
  ServiceLevelCARM: false,
  TeamLevelCARM: false,
  IAMRoleSelector: false,
  // ACK's own; accepted so that one value serves its controllers and us. They change none of our decisions.
  ResourceAdoption: true,
  ReadOnlyResources: true,
};

export type FeatureGate = keyof typeof gates;
export type FeatureGates = Readonly<Record<FeatureGate, boolean>>;

export const defaultFeatureGates: FeatureGates = gates;

/** An error to be thrown when an item of `--feature-gates` is none; its message names the gates there are, and not the item. */
export class FeatureGateError extends Error {
  override readonly name = 'FeatureGateError';
  readonly code = 'InvalidFeatureGate';
}

/** Go's strconv.ParseBool, which ACK's controllers read their gates by. */
export function parseGoBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

function isFeatureGate(name: string): name is FeatureGate {
  return Object.hasOwn(gates, name);
}

export type FeatureGateSetting = readonly [gate: FeatureGate, on: boolean];

/**
 * Reads `Name=true` or `Name=false`.
 * @throws {FeatureGateError}
 */
export function parseFeatureGate(item: string): FeatureGateSetting {
  const [name = '', value, ...rest] = item.split('=').map(part => part.trim());
  const on = value === undefined || rest.length > 0 ? undefined : parseGoBool(value);
  if (isFeatureGate(name) && on !== undefined) return [name, on];
  throw new FeatureGateError(`is not GATE=true or GATE=false with a gate of: ${Object.keys(gates).join(', ')}`);
}

/** All gates; the last setting of one counts. */
export function featureGatesOf(settings: readonly FeatureGateSetting[]): FeatureGates {
  return { ...gates, ...Object.fromEntries(settings) };
}
