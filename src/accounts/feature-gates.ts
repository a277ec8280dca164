import { nearestName } from '../objects/edit-distance.ts';

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

function isSlip(name: string): boolean {
  const known = Object.keys(gates).map(gate => gate.toLowerCase());
  return nearestName(name.toLowerCase(), known) !== undefined;
}

function isFeatureGate(name: string): name is FeatureGate {
  return Object.hasOwn(gates, name);
}

export type FeatureGateSetting = readonly [gate: string, on: boolean];

/** The form of a gate's name. ACK adds gates, and users copy the whole list: one that we do not know is not wrong. */
const gateName = /^[A-Z][A-Za-z0-9]{0,62}$/;

/**
 * Reads `Name=true` or `Name=false`. A name that is a slip of one that we know is none: it would turn nothing on.
 * @throws {FeatureGateError}
 */
export function parseFeatureGate(item: string): FeatureGateSetting {
  const [name = '', value, ...rest] = item.split('=').map(part => part.trim());
  const on = value === undefined || rest.length > 0 ? undefined : parseGoBool(value);
  const isOther = gateName.test(name) && !isSlip(name);
  if (on !== undefined && (isFeatureGate(name) || isOther)) return [name, on];
  throw new FeatureGateError(
    `is not GATE=true or GATE=false with a gate of ACK's, such as: ${Object.keys(gates).join(', ')}`,
  );
}

/** All gates; the last setting of one counts. Those that we do not know are kept, and change nothing. */
export function featureGatesOf(settings: readonly FeatureGateSetting[]): FeatureGates {
  return { ...gates, ...Object.fromEntries(settings) };
}

/** Names of gates that were given and that we do not know. */
export function unknownGates(given: FeatureGates): readonly string[] {
  return Object.keys(given).filter(name => !isFeatureGate(name));
}
