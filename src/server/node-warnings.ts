import type { Logger } from './logs.ts';

/** A warning may tell what a client sent, such as the URL of a request. */
const longestReason = 512;

/**
 * Lets warnings of Node.js (what is deprecated, what leaks) go through the logger, each kind once, in place of plain text
 * on stderr.
 * @returns puts things back as they were.
 */
export function logNodeWarnings(logger: Logger): () => void {
  const plain = process.listeners('warning');
  const told = new Set<string>();
  const tell = (warning: Error): void => {
    const code = 'code' in warning ? String(warning.code) : undefined;
    const kind = code ?? warning.name;
    if (told.has(kind)) return;
    told.add(kind);
    logger.warn({ warning: warning.name, code, reason: warning.message.slice(0, longestReason) }, 'warning of Node.js');
  };
  process.removeAllListeners('warning').on('warning', tell);
  return () => {
    process.off('warning', tell);
    for (const listener of plain) process.on('warning', listener);
  };
}
