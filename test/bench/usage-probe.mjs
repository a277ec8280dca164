// Loaded into a measured process before its program: answers each message with what the process used so far.
// In JavaScript: where Node.js strips types, it takes 30 MiB for that.

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() });
});
// The listener above must not keep a process alive that is done.
process.channel?.unref();
