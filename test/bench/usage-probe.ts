/** Loaded into a measured process before its program: answers each message with what the process used so far. */

export interface Usage {
  readonly cpuMicroseconds: number;
  readonly rssBytes: number;
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() };
  process.send?.(usage);
});
// The listener above must not keep a process alive that is done.
process.channel?.unref();
