/**
 * Waits for an answer until its time is over. The work goes on without its caller: others may wait for it too.
 * The timer keeps no process alive: whoever waits has a connection open that does.
 * @param late makes the error to reject with; it may tell what was waited for in the end.
 */
export async function withDeadline<T>(answer: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const end = Promise.withResolvers<never>();
  const timer = setTimeout(() => end.reject(late()), Math.max(0, ms));
  timer.unref();
  try {
    return await Promise.race([answer, end.promise]);
  } finally {
    clearTimeout(timer);
  }
}
