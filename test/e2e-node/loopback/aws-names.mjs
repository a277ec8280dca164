/**
 * For `node --import`: what is meant for AWS goes to a port of this machine, as it would by `hostAliases` in a pod. Names stay as
 * they are, so that the certificate is checked for them. STS_STAND_IN_PORT says where.
 */

import { syncBuiltinESMExports } from 'node:module';
import tls from 'node:tls';

const port = Number(process.env['STS_STAND_IN_PORT']);
const { connect } = tls;
tls.connect = (options, ...rest) => {
  if (!/\.amazonaws\.com$/.test(options.host)) return connect(options, ...rest);
  return connect({ ...options, servername: options.servername ?? options.host, host: '127.0.0.1', port }, ...rest);
};
syncBuiltinESMExports();
