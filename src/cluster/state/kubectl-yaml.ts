import type { DocumentOptions, ParseOptions, Scalar, ScalarTag, SchemaOptions } from 'yaml';

/** What was written; the library would write 0644 as 420, and yes as true. */
function asWritten({ source, value }: Scalar): string {
  return source ?? String(value);
}

/** A number by Go's rules: any base, and `_` anywhere behind the first digit. What is too large for one stays a string. */
function numberOf(text: string): number | string {
  const plain = text.replaceAll('_', '');
  const [, sign, whole] = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+)$/.exec(plain) ?? [];
  if (whole !== undefined) {
    const value = Number(whole.replace(/^0(?=[0-7])/, '0o'));
    if (value <= 2 ** 64) return sign === '-' ? -value : value;
  }
  const value = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(value) ? value : text;
}

const number: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: value => typeof value === 'number',
  // All that may be one; `numberOf` looks closer.
  test: /^(?:[-+]?[0-9][0-9_]*(?:[xXoObB][0-9a-fA-F_]+)?|[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9_]+)?)$/,
  resolve: numberOf,
  stringify: asWritten,
};

const oldBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: value => typeof value === 'boolean',
  test: /^(?:[yY]|[yY]es|YES|[oO]n|ON|[nN]|[nN]o|NO|[oO]ff|OFF)$/,
  resolve: text => /^(?:y|on)/i.test(text),
  stringify: asWritten,
};

/** JSON has no bytes: they are read as UTF-8. */
const binary: ScalarTag = {
  tag: 'tag:yaml.org,2002:binary',
  resolve: (text, onError) => {
    const base64 = text.replaceAll(/[\r\n]/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) onError('!!binary is not base64');
    return Buffer.from(base64, 'base64').toString();
  },
  stringify: item => asWritten(item).replaceAll(/[\r\n]/g, ''),
};

/**
 * YAML as kubectl reads it: 1.2, except for what its library keeps of 1.1: merge keys (`<<`), numbers such as `0644` (octal) and
 * `1_000`, `yes` and `on`. Of tags it knows those of JSON's values and `!!binary`; others change nothing.
 * https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go
 */
export const kubectlYaml: ParseOptions & DocumentOptions & SchemaOptions = {
  merge: true,
  resolveKnownTags: false,
  customTags: tags => [number, { ...number, tag: 'tag:yaml.org,2002:float' }, oldBoolean, binary, ...tags],
};
