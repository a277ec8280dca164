import { type DestinationStream, type Logger, pino } from 'pino';
import type { ReviewRecord } from '../admission/record.ts';
import { ClientGoneError, type HttpError } from './http-error.ts';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export type { Logger };

/** Names come from users and may be megabytes long; no valid one is longer. */
const longestName = 253;
const longestStack = 4096;
/** Of any field, whoever writes it: with these fields no line is longer than 64 KiB. */
const longestField = 4096;

function cut(value: unknown): unknown {
  return typeof value === 'string' && value.length > longestField ? value.slice(0, longestField) : value;
}

/** JSON lines, to standard output by default. Written synchronously: a line before the process ends is a line written. */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, cut(value)])),
    },
  };
  return pino(options, destination);
}

function fieldsOf(record: ReviewRecord): Readonly<Record<string, unknown>> {
  return {
    uid: record.uid.slice(0, longestName),
    webhook: record.webhook,
    endpoint: record.endpoint,
    operation: record.operation,
    outcome: record.outcome,
    reason: record.reason,
    user: record.user.slice(0, longestName),
    namespace: record.namespace.slice(0, longestName),
    name: record.name.slice(0, longestName),
    kind: record.kind.slice(0, longestName),
    ...(record.dryRun && { dryRun: true }),
    ...(record.accountId !== undefined && { account: record.accountId }),
    ...(record.foreignAccountId !== undefined && { foreignAccount: record.foreignAccountId }),
    ...(record.roleArn !== undefined && { role: record.roleArn }),
    ...(record.warnings.length > 0 && { warnings: [...new Set(record.warnings)] }),
    ...(record.loggedMessage !== undefined && { message: record.loggedMessage }),
  };
}

/** Name, code and trace of an exception; what else hangs on it may hold a value that must not be logged. */
function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { error: error.name, ...code, stack: error.stack?.slice(0, longestStack) };
}

/** One line a review: a fault of ours at error, anything not simply allowed at info, the rest at debug. */
export function logReview(logger: Logger, record: ReviewRecord): void {
  if (record.reason === 'InternalError') {
    logger.error({ ...fieldsOf(record), ...errorFields(record.error) }, 'review failed');
  } else if (record.outcome === 'error') {
    logger.warn(fieldsOf(record), 'review not decided');
  } else if (record.outcome === 'denied' || record.outcome === 'warned' || record.outcome === 'audited') {
    logger.info(fieldsOf(record), `review ${record.outcome}`);
  } else if (logger.isLevelEnabled('debug')) {
    logger.debug(fieldsOf(record), `review ${record.outcome}`);
  }
}

/** A request that was no review. Never its body, nor a header. */
export function logHttpError(logger: Logger, error: HttpError): void {
  logger.debug({ status: error.status, reason: error.message }, 'request refused');
}

/** What went wrong around a request and has no answer of its own. */
export function logFailure(logger: Logger, error: unknown): void {
  if (error instanceof ClientGoneError) logger.debug({ reason: error.message }, 'client gone');
  else logger.error(errorFields(error), 'request failed');
}
