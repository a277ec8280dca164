/**
 * What this thread has worked, in milliseconds: a bound on it holds also where others load the machine. Some kernels count it in
 * steps of 10 ms: it is for bounds, not for comparing what takes less.
 */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
