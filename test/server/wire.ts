import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Answer } from './running-server.ts';

/** Collects what the server sends until it closes, or until the time is over. */
export async function readAll(
  socket: TLSSocket,
  limitMs = 6000,
): Promise<{ readonly text: string; readonly closed: boolean }> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const closed = new Promise<boolean>(resolve => {
    socket.once('end', () => resolve(true));
    socket.once('close', () => resolve(true));
    socket.on('error', () => resolve(true));
  });
  const done = await Promise.race([closed, sleep(limitMs, false, { ref: false })]);
  return { text, closed: done };
}

/** Splits a stream of HTTP/1.1 answers, each with a Content-Length; 100 Continue has none. */
export function splitAnswers(text: string): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = (end < 0 ? rest : rest.slice(0, end)).split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
    if (end < 0 || status === undefined) throw new Error(`not an HTTP answer: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers = Object.fromEntries(
      lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = status === '100' ? 0 : Number(headers['content-length']);
    if (Number.isNaN(length)) throw new Error(`an answer without Content-Length: ${rest.slice(0, 200)}`);
    answers.push({ status: Number(status), headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** A request as bytes. Content-Length and Host are added unless `headers` has them; null leaves one out. */
export function requestText(start: string, headers: Readonly<Record<string, string | null>> = {}, body = ''): string {
  const all = {
    Host: 'localhost',
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]));
  return `${start} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
