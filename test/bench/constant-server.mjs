// The yardstick: node:https, reads the body, answers a constant. Prints its port as the server under test does.
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [certFile = '', keyFile = '', answerFile = ''] = process.argv.slice(2);
const answer = readFileSync(answerFile);
const head = { 'Content-Type': 'application/json', 'Content-Length': answer.length };

const server = https.createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.3', keepAliveTimeout: 95_000 },
  (request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      Buffer.concat(chunks);
      response.writeHead(200, head);
      response.end(answer);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: 'serving', port })}\n`);
});
