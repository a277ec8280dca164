import { createAnswerFailure } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
/** A server as a process of its own, for the test of signals: prints its ports, drains on the first signal. */
import { createLogger } from '../../src/server/logs.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { startServer } from '../../src/server/server.ts';
import { drainOnSignal } from '../../src/server/signals.ts';
import { allowAll } from './sample-review.ts';

const logger = createLogger('info');
const server = await startServer({
  admit: allowAll,
  answerFailure: createAnswerFailure({ cache: undefined }, defaultConfig),
  certificate: await makeSelfSigned(),
  metrics: new Metrics({ version: '0.0.0-test', reviewSeries: [], warningReasons: [] }),
  logger,
  clusterNotReady: () => [],
  bindAddress: '127.0.0.1',
  port: 0,
  opsPort: 0,
  shutdownDelayMs: Number(process.argv[2]),
});
const drained = drainOnSignal({
  drain: signal => server.drain(signal),
  exit: code => process.exit(code),
  source: process,
});
logger.info('ready for signals');
await drained;
