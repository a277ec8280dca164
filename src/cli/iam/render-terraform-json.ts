import { providerNote, type TerraformFile, type TerraformValue } from './terraform-blocks.ts';

/** Strings are templates here as well. https://developer.hashicorp.com/terraform/language/syntax/json#expression-mapping */
function literal(value: string): string {
  return value.replaceAll(/[$%](?=\{)/g, sign => sign + sign);
}

/** Arguments that take an address without `${}`. https://developer.hashicorp.com/terraform/language/syntax/json */
const bareAddresses: ReadonlySet<string> = new Set(['provider', 'depends_on', 'to']);

function jsonValue(value: TerraformValue, isBare: boolean): unknown {
  if ('text' in value) return literal(value.text);
  if ('address' in value) return isBare ? value.address : `\${${value.address}}`;
  if ('list' in value) return value.list.map(item => jsonValue(item, isBare));
  return literal(JSON.stringify(value.json));
}

/** Terraform's JSON syntax: the same as the native one, for programs to read. */
export function renderTerraformJson(file: TerraformFile): string {
  const imports: unknown[] = [];
  const byBlock: Record<'resource' | 'data', Record<string, Record<string, unknown>>> = { data: {}, resource: {} };
  for (const { block, labels, attributes } of file.blocks) {
    const body = Object.fromEntries(
      attributes.map(([name, value]) => [name, jsonValue(value, bareAddresses.has(name))]),
    );
    if (block === 'import') {
      imports.push(body);
      continue;
    }
    const [type = '', name = ''] = labels;
    const ofType = byBlock[block][type] ?? {};
    ofType[name] = body;
    byBlock[block][type] = ofType;
  }
  const written = Object.entries({ import: imports, ...byBlock }).filter(([, value]) => Object.keys(value).length > 0);
  const document = { '//': providerNote(file), ...Object.fromEntries(written) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
