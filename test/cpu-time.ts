/** What this thread has worked, in milliseconds: a bound on it holds also where others load the machine. */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
