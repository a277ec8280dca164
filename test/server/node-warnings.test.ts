import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogger } from '../../src/server/logs.ts';
import { logNodeWarnings } from '../../src/server/node-warnings.ts';

test('warnings of Node.js are lines of the log, each kind once, until put back', async t => {
  const before = process.listeners('warning');
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('info', { write: line => void lines.push(JSON.parse(line)) });
  const stop = logNodeWarnings(logger);
  t.after(stop);
  const warn = async (text: string, type: string, code?: string) => {
    process.emitWarning(text, code === undefined ? { type } : { type, code });
    await nextTurn();
  };
  await warn(`The URL ${'x'.repeat(1000)}\nis invalid`, 'DeprecationWarning', 'DEP0170');
  await warn('The URL y is invalid', 'DeprecationWarning', 'DEP0170');
  await warn('use the WHATWG URL API', 'DeprecationWarning', 'DEP0169');
  await warn('11 listeners', 'MaxListenersExceededWarning');
  await warn('12 listeners', 'MaxListenersExceededWarning');
  assert.deepEqual(
    lines.map(({ level, warning, code, reason }) => [level, warning, code, String(reason).length]),
    [
      ['warn', 'DeprecationWarning', 'DEP0170', 512],
      ['warn', 'DeprecationWarning', 'DEP0169', 22],
      ['warn', 'MaxListenersExceededWarning', undefined, 12],
    ],
  );
  stop();
  assert.deepEqual(process.listeners('warning'), before);
});
