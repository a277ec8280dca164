import type { Container, Pod } from '../objects/pod.ts';
import type { AddedVariable } from './credentials.ts';

/** What a pod's containers get beside their credentials, for the SDKs that use them. */
export interface SdkSettings {
  readonly region: string | undefined;
  readonly regionalSts: boolean;
}

/** The variables that each setting is. */
const variablesOf = {
  /** https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html */
  regionalSts: ['AWS_STS_REGIONAL_ENDPOINTS'],
  /** SDKs read one or the other. https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html */
  region: ['AWS_DEFAULT_REGION', 'AWS_REGION'],
} as const satisfies Readonly<Record<keyof SdkSettings, readonly string[]>>;

/** Every variable that such a setting is. */
export const sdkVariables: readonly string[] = Object.values(variablesOf).flat();

/** Variables of one setting: any of them that a container has, empty ones too, keeps the others out. */
export type SdkSetting = readonly AddedVariable[];

/**
 * The settings in the order of amazon-eks-pod-identity-webhook, which puts them before the credentials.
 * https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go (addEnvToContainer)
 */
export function listSettings({ region, regionalSts }: SdkSettings): readonly SdkSetting[] {
  const settings: SdkSetting[] = [];
  const add = (setting: keyof SdkSettings, value: string) => {
    settings.push(variablesOf[setting].map(name => ({ name, value })));
  };
  if (regionalSts) add('regionalSts', 'regional');
  if (region !== undefined) add('region', region);
  return settings;
}

/** The variables of the settings that a container does not have. */
export function missingSettings(
  settings: readonly SdkSetting[],
  { awsVariables }: Container,
  { windows }: Pod,
): readonly AddedVariable[] {
  const missing: AddedVariable[] = [];
  for (const setting of settings) {
    if (!setting.some(({ name }) => awsVariables.has(name, windows))) missing.push(...setting);
  }
  return missing;
}

/** Whether a container may know a region: by a variable that is not empty, or by whatever `envFrom` holds. */
export function mayKnowRegion({ awsVariables, hasEnvFrom }: Container, { windows }: Pod): boolean {
  const isSet = (name: string) => awsVariables.has(name, windows) && awsVariables.literal(name, windows) !== '';
  return hasEnvFrom || variablesOf.region.some(isSet);
}

/** The region that a container has by its own literal variables. */
export function regionOf({ awsVariables }: Container, { windows }: Pod): string | undefined {
  return awsVariables.literal('AWS_REGION', windows) ?? awsVariables.literal('AWS_DEFAULT_REGION', windows);
}
