import { readFileSync } from 'node:fs';

/** The environment that the Dockerfile gives the server: what it is measured with. */
export function imageEnvironment(): Readonly<Record<string, string>> {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const settings = /^ENV (.*NODE_OPTIONS.*)$/m.exec(dockerfile)?.[1];
  if (settings === undefined) throw new Error('the Dockerfile sets no NODE_OPTIONS');
  return Object.fromEntries(
    settings.split(' ').map(setting => {
      const equals = setting.indexOf('=');
      return [setting.slice(0, equals), setting.slice(equals + 1)];
    }),
  );
}
