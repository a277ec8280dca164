/**
 * What there was no room for:
 * - `body`: memory for a review's body;
 * - `connection`, `handshake`: a connection to the webhook port, before or after its TLS handshake;
 * - `pipelining`: one more request on a connection that has many unanswered;
 * - `ops_connection`: a connection to the ops port.
 */
export const shortageCauses = ['body', 'connection', 'handshake', 'pipelining', 'ops_connection'] as const;
export type ShortageCause = (typeof shortageCauses)[number];
