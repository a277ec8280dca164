import type { DocumentOptions, ParseOptions, Scalar, ScalarTag, SchemaOptions } from 'yaml';

/** What was written; the library would write 0644 as 420, or as 644. */
function asWritten({ source, value }: Scalar): string {
  return source ?? String(value);
}

const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: () => false,
  test: /^[-+]?0[0-7]+$/,
  resolve: text => Number.parseInt(text, 8),
  stringify: asWritten,
};

const oldBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: () => false,
  test: /^(?:[yY]|[yY]es|YES|[oO]n|ON|[nN]|[nN]o|NO|[oO]ff|OFF)$/,
  resolve: text => /^(?:y|on)/i.test(text),
  stringify: asWritten,
};

/**
 * YAML as kubectl reads it: 1.2, but for what its library keeps of 1.1: merge keys (`<<`), `0644` in octal, `yes` and `on`.
 * https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go
 */
export const kubectlYaml: ParseOptions & DocumentOptions & SchemaOptions = {
  merge: true,
  customTags: tags => [octal, oldBoolean, ...tags],
};
