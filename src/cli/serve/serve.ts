import { unknownGates } from '../../accounts/feature-gates.ts';
import { createAdmit, createAnswerFailure } from '../../admission/admit.ts';
import { warnings } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import { reviewSeries } from '../../admission/review-series.ts';
import type { CertificateSource } from '../../server/certificate.ts';
import { CertificateFiles } from '../../server/certificate-files.ts';
import { parseCidr } from '../../server/cidr.ts';
import { createLogger, type Logger, logLevels } from '../../server/logs.ts';
import { Metrics } from '../../server/metrics.ts';
import { logNodeWarnings } from '../../server/node-warnings.ts';
import { startServer } from '../../server/server.ts';
import { drainOnSignal } from '../../server/signals.ts';
import { version } from '../../version.ts';
import type { Command, Surroundings } from '../command.ts';
import { checkClusterFlags } from '../flags/cluster-flags.ts';
import { configFlags, configFrom } from '../flags/config-flags.ts';
import {
  describeFlags,
  type FlagValues,
  listFlag,
  oneOf,
  parserOf,
  readFlags,
  rejectArguments,
  switchFlag,
  textFlag,
  valueFlag,
} from '../flags/flag.ts';
import { parseDurationMs, parsePort } from '../flags/flag-values.ts';
import { exitCodes, UsageError } from '../usage-error.ts';
import { clusterMetricLabels, openCluster, serveClusterFlags } from './open-cluster.ts';
import { verificationMetricLabels } from './verification-metric-labels.ts';

const parseAddressRange = parserOf(parseCidr, 'is not an address or a range such as 10.0.0.0/16 or 2001:db8::/32');

export const serveFlags = {
  port: valueFlag('--port PORT', 'HTTPS port of /mutate, /validate and /keys', parsePort, '8443'),
  opsPort: valueFlag('--ops-port PORT', 'HTTP port of /livez, /readyz and /metrics', parsePort, '8080'),
  bindAddress: valueFlag('--bind-address ADDRESS', 'Address to listen on', String, '0.0.0.0'),
  tlsCertFile: textFlag('--tls-cert-file FILE', 'Certificate chain (PEM); reloaded when it changes'),
  tlsPrivateKeyFile: textFlag('--tls-private-key-file FILE', 'Private key (PEM); reloaded when it changes'),
  tlsMinVersion: valueFlag(
    '--tls-min-version VERSION',
    'Minimum TLS version: VersionTLS12 or VersionTLS13',
    oneOf(['VersionTLS12', 'VersionTLS13']),
    'VersionTLS13',
  ),
  tlsSelfSigned: switchFlag(
    '--tls-self-signed',
    'Serve a self-signed certificate created at startup, to try things out',
  ),
  clientCaFile: textFlag(
    '--client-ca-file FILE',
    "CA (PEM) of the API server's client certificate; without it no certificate is required",
  ),
  apiServerCidrs: listFlag(
    '--api-server-cidrs CIDR,...',
    'Addresses that the API server calls from; they go first when capacity is short',
    parseAddressRange,
    ranges => ranges,
  ),
  ...serveClusterFlags,
  shutdownDelayMs: valueFlag(
    '--shutdown-delay DURATION',
    'How long to keep serving after SIGTERM',
    parseDurationMs,
    '10s',
  ),
  logLevel: valueFlag(
    '--log-level LEVEL',
    `Minimum level of log lines: ${logLevels.join(', ')}`,
    oneOf(logLevels),
    'info',
  ),
  ...configFlags,
} as const;

type ServeValues = FlagValues<typeof serveFlags>;

async function openCertificate(values: ServeValues, metrics: Metrics, logger: Logger): Promise<CertificateSource> {
  const { tlsCertFile, tlsPrivateKeyFile, tlsSelfSigned, clientCaFile } = values;
  if (tlsSelfSigned) {
    if (tlsCertFile !== undefined || tlsPrivateKeyFile !== undefined || clientCaFile !== undefined) {
      throw new UsageError(
        '--tls-self-signed cannot be combined with --tls-cert-file, --tls-private-key-file or --client-ca-file',
      );
    }
    // What makes certificates takes long to load.
    const { makeSelfSigned } = await import('../../server/self-signed.ts');
    return makeSelfSigned();
  }
  if (tlsCertFile === undefined || tlsPrivateKeyFile === undefined) {
    throw new UsageError(
      'a certificate is needed: --tls-cert-file and --tls-private-key-file, or --tls-self-signed to try things out',
    );
  }
  return CertificateFiles.open({
    certFile: tlsCertFile,
    keyFile: tlsPrivateKeyFile,
    clientCaFile,
    onReload: ({ expiresAtMs }) => logger.info({ expires: new Date(expiresAtMs).toISOString() }, 'new certificate'),
    onError: error => {
      metrics.certificateFailed();
      logger.error(
        { reason: error.message, code: error.code },
        'the new certificate cannot be used; keeping the last one',
      );
    },
  });
}

async function serve(argv: readonly string[], { env }: Surroundings): Promise<number> {
  const { values, positionals } = readFlags(serveFlags, argv, env, 'serve');
  rejectArguments('serve', positionals);
  checkClusterFlags(values);
  if (values.verifyRoles && values.state !== undefined) {
    throw new UsageError('--verify-roles cannot be combined with --state: there is no cluster to tell what it finds');
  }
  const config = configFrom(values, env);
  const logger = createLogger(values.logLevel);
  const stopLogging = logNodeWarnings(logger);
  for (const gate of unknownGates(config.featureGates)) {
    logger.warn({ gate }, 'unknown feature gate: it changes nothing here');
  }
  try {
    return await serveBy(values, config, logger, env);
  } finally {
    stopLogging();
  }
}

async function serveBy(values: ServeValues, config: Config, logger: Logger, env: Surroundings['env']): Promise<number> {
  const metrics = new Metrics({
    version,
    reviewSeries: reviewSeries(),
    warningReasons: Object.keys(warnings),
    cluster: clusterMetricLabels(config),
    verification: verificationMetricLabels,
  });
  const certificate = await openCertificate(values, metrics, logger);
  const cluster = await openCluster(values, config, metrics, logger, env);
  try {
    const server = await startServer({
      ...values,
      admit: createAdmit(cluster.cluster, config, cluster.providers),
      answerFailure: createAnswerFailure(cluster.cluster, config),
      certificate,
      metrics,
      logger,
      clusterNotReady: cluster.notReady,
      tlsMinVersion: values.tlsMinVersion === 'VersionTLS12' ? 'TLSv1.2' : 'TLSv1.3',
    });
    await drainOnSignal({
      drain: signal => server.drain(signal),
      exit: code => process.exit(code),
      source: process,
    });
  } finally {
    certificate.close();
    await cluster.close();
  }
  return exitCodes.done;
}

/** `carm-webhook serve`: the server. */
export const command: Command = {
  flags: serveFlags,
  help: () => `Usage: carm-webhook serve [flags]

Serves POST /mutate, /validate and /keys over HTTPS, and /livez, /readyz and /metrics over HTTP.

It watches the cluster. With --state it reads a folder instead.

${describeFlags(serveFlags, serveFlags.tlsCertFile)}`,
  run: serve,
};
