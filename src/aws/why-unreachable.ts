/** Why no answer came, by the codes of Node's errors; their texts may hold addresses, which help, and nothing secret. */
const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'DNS does not know the name of the endpoint',
  EAI_AGAIN: 'DNS does not answer',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  EHOSTUNREACH: 'no route to the endpoint',
  ENETUNREACH: 'no route to the endpoint',
  ETIMEDOUT: 'the connection timed out',
  EPROTO: 'the endpoint does not speak TLS',
  ERR_STREAM_PREMATURE_CLOSE: 'the answer broke off',
  ERR_PROXY_TUNNEL: 'the proxy did not open a connection',
};

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes, and Node's check of the name. */
const certificateCodes =
  /^(?:UNABLE_TO_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** Why an endpoint could not be reached; undefined for an error that is about something else. */
export function whyUnreachable(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const code = 'code' in thrown ? String(thrown.code) : '';
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  if (reason !== undefined) return reason;
  if (certificateCodes.test(code)) return `the TLS certificate of the endpoint is not trusted (${code})`;
  if (/^ERR_(?:SSL|TLS)_/.test(code)) return 'TLS with the endpoint failed';
  if (/^HPE_/.test(code)) return 'the endpoint does not speak HTTP';
  // AggregateError: every address of the name failed, each with its own code.
  if (thrown instanceof AggregateError) return whyUnreachable(thrown.errors[0]) ?? 'the connection failed';
  return thrown.name === 'TimeoutError' || thrown.name === 'AbortError' ? 'no answer in time' : undefined;
}
