import { isJsonObject, type JsonObject } from './json.ts';

function itemsOf(parent: unknown, key: string): readonly unknown[] {
  const items = isJsonObject(parent) ? parent[key] : undefined;
  return Array.isArray(items) ? items : [];
}

function isOn({ command, args, env }: JsonObject): boolean {
  const words = [command, args].flatMap(each => (Array.isArray(each) ? each : []));
  const flags = words.filter(word => typeof word === 'string' && /^--authorize-bindings(?:=|$)/.test(word));
  // A flag wins over its variable, and of flags the last one.
  if (flags.length > 0) return flags.at(-1) !== '--authorize-bindings=false';
  const variables = Array.isArray(env) ? env : [];
  return variables.some(
    each => isJsonObject(each) && each['name'] === 'CARM_WEBHOOK_AUTHORIZE_BINDINGS' && each['value'] === 'true',
  );
}

/** Whether a Deployment, of whatever shape, runs the webhook with `--authorize-bindings`. */
export function authorizesBindings(deployment: JsonObject): boolean {
  let template: unknown = deployment;
  for (const key of ['spec', 'template', 'spec']) template = isJsonObject(template) ? template[key] : undefined;
  return itemsOf(template, 'containers').some(container => isJsonObject(container) && isOn(container));
}
