/** The first SIGINT or SIGTERM settles it, a second one ends this process at once; the programs that were started end either way. */
export function untilSignal(onFirst: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      onFirst();
      resolve();
    });
  }
  return promise;
}
