/** Preloaded into a process by `--import`: at its end, a JSON line on stderr names every file that it loaded after this one. */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const urls: string[] = [];

registerHooks({
  load: (url, context, nextLoad) => {
    if (!url.startsWith('node:')) urls.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeSync(2, `${JSON.stringify(urls)}\n`));
