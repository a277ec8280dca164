import { providerNote, type TerraformBlock, type TerraformFile, type TerraformValue } from './terraform-blocks.ts';

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

/**
 * A quoted string. Doubled, `$` and `%` begin no template.
 * https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
 */
export function hclString(value: string): string {
  const quoted = value.replaceAll(/[\n\r\t"\\]/g, character => escapes[character] ?? character);
  const plain = quoted.replaceAll(/[$%](?=\{)/g, sign => sign + sign);
  return `"${plain.replaceAll(/[^ -~]/gu, character => `\\U${character.codePointAt(0)?.toString(16).padStart(8, '0')}`)}"`;
}

/** Lines of `name = value`, with the equals signs of neighbours that fit in one line one below the other, as `terraform fmt` has it. */
function assignments(entries: readonly (readonly [name: string, value: string])[], indent: string): readonly string[] {
  const lines: string[] = [];
  let run: (readonly [string, string])[] = [];
  const end = () => {
    const width = Math.max(...run.map(([name]) => name.length));
    for (const [name, value] of run) lines.push(`${indent}${name.padEnd(width)} = ${value}`);
    run = [];
  };
  for (const [name, value] of entries) {
    if (!value.includes('\n')) {
      run.push([name, value]);
      continue;
    }
    end();
    lines.push(`${indent}${name} = ${value}`);
  }
  end();
  return lines;
}

function hclJson(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const items = value.map(item => `${inner}${hclJson(item, inner)},`);
    return `[\n${items.join('\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, each]) => {
      const name = /^[A-Za-z]\w*$/.test(key) ? key : hclString(key);
      return [name, hclJson(each, inner)] as const;
    });
    return entries.length === 0 ? '{}' : `{\n${assignments(entries, inner).join('\n')}\n${indent}}`;
  }
  return typeof value === 'string' ? hclString(value) : JSON.stringify(value);
}

function hclValue(value: TerraformValue): string {
  if ('text' in value) return hclString(value.text);
  if ('address' in value) return value.address;
  if ('list' in value) return `[${value.list.map(hclValue).join(', ')}]`;
  return `jsonencode(${hclJson(value.json, '  ')})`;
}

function blockOf({ block, labels, attributes }: TerraformBlock): string {
  const head = [block, ...labels.map(hclString)].join(' ');
  const entries = attributes.map(([name, value]) => [name, hclValue(value)] as const);
  return `${head} {\n${assignments(entries, '  ').join('\n')}\n}\n`;
}

/** Terraform's native syntax. */
export function renderTerraform(file: TerraformFile): string {
  const note = providerNote(file).map(line => `# ${line}\n`);
  return [note.join(''), ...file.blocks.map(blockOf)].join('\n');
}
