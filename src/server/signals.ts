import type { EventEmitter } from 'node:events';

export interface SignalOptions {
  /** Stops the process in order; called once. */
  readonly drain: (signal: string) => Promise<void>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** `process`, or what stands for it in a test. */
  readonly source: Pick<EventEmitter, 'on' | 'off'>;
}

/**
 * The first SIGTERM or SIGINT drains, the second of either ends the process with code 1.
 * @returns a promise that resolves when the drain is over.
 */
export function drainOnSignal({ drain, exit, source }: SignalOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isDraining = false;
  const onSignal = (signal: string): void => {
    if (isDraining) {
      exit(1);
      return;
    }
    isDraining = true;
    drain(signal).then(resolve, reject);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) source.on(signal, onSignal);
  return promise;
}
