import { type ExternalId, isExternalId } from '../accounts/external-id.ts';
import { partitionOfRegion } from '../accounts/partition.ts';
import { parseRoleArn, type RoleArn } from '../accounts/role-arn.ts';
import { isSessionName, type SessionName } from './session-name.ts';
import { tokenFile } from './token-volume.ts';

/** How SDKs get to a role: by a hub role, or by the role that EKS Pod Identity gives. */
export interface AwsConfig {
  /** Undefined over EKS Pod Identity. */
  readonly hub: RoleArn | undefined;
  readonly role: RoleArn;
  readonly externalId: ExternalId | undefined;
  /** Of both sessions; undefined where SDKs name them. */
  readonly sessionName: SessionName | undefined;
  readonly region: string | undefined;
}

const hubProfile = 'carm-hub';

/**
 * What each value of the file is made of: so none begins a line, a section or a comment. (SDKs differ on comments behind a value:
 * boto3 and the CLI take them for a part of it.)
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
const plainValue = /^[\w+=,.@:/-]+$/;

/**
 * With slashes on Windows too, which takes both: in a file that each SDK parses by itself a backslash might begin an escape.
 * https://learn.microsoft.com/en-us/dotnet/standard/io/file-path-formats (Canonicalize separators)
 */
function tokenPath(windows: boolean): string {
  return tokenFile.path(windows).replaceAll('\\', '/');
}

function section(name: string, entries: readonly (readonly [key: string, value: string | undefined])[]): string {
  let text = `[${name}]\n`;
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    if (!plainValue.test(value)) throw new TypeError(`not a value for an AWS config file: ${JSON.stringify(value)}`);
    text += `${key} = ${value}\n`;
  }
  return text;
}

/**
 * The text of the config file by which AWS SDKs make the calls themselves, and again before a session expires. One hub profile
 * and the default profile, of at most 8 KiB.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
 */
export function writeAwsConfig({ hub, role, externalId, sessionName, region }: AwsConfig, windows: boolean): string {
  const first =
    hub === undefined
      ? ''
      : `${section(`profile ${hubProfile}`, [
          ['role_arn', hub.text],
          ['web_identity_token_file', tokenPath(windows)],
          ['role_session_name', sessionName],
        ])}\n`;
  const source = hub === undefined ? 'credential_source' : 'source_profile';
  return `${first}${section('default', [
    ['role_arn', role.text],
    [source, hub === undefined ? 'EcsContainer' : hubProfile],
    ['external_id', externalId],
    ['role_session_name', sessionName],
    ['region', region],
  ])}`;
}

/** Of what `writeAwsConfig` writes. */
const longestConfig = 8192;

/** The values of each section: at most the five that there are. */
function readSections(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const line of text.split('\n')) {
    const name = /^\[([^[\]]+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      current = new Map();
      sections.set(name, current);
    } else {
      const [, key, value] = /^([a-z_]+) = (.+)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) current.set(key, value);
    }
  }
  return sections;
}

/** Reads what `writeAwsConfig` wrote; undefined for every other text, however near. */
export function readAwsConfig(text: string, windows: boolean): AwsConfig | undefined {
  if (text.length > longestConfig) return undefined;
  const sections = readSections(text);
  const hubArn = sections.get(`profile ${hubProfile}`)?.get('role_arn');
  const hub = hubArn === undefined ? undefined : parseRoleArn(hubArn);
  const values = sections.get('default');
  const role = parseRoleArn(values?.get('role_arn') ?? '');
  if (role === undefined) return undefined;
  const externalId = values?.get('external_id');
  const sessionName = values?.get('role_session_name');
  const region = values?.get('region');
  const config: AwsConfig = {
    hub,
    role,
    externalId: externalId !== undefined && isExternalId(externalId) ? externalId : undefined,
    sessionName: sessionName !== undefined && isSessionName(sessionName) ? sessionName : undefined,
    region: region !== undefined && partitionOfRegion(region) !== undefined ? region : undefined,
  };
  return writeAwsConfig(config, windows) === text ? config : undefined;
}
