/**
 * A process that attacks: NAME HOST,... PORT OPS_PORT [ADDRESS,...]. It goes on until it is killed, or its parent is gone. It is bundled for
 * pods too.
 */
import { attacks, openAttacks } from './attacks.ts';

const [name = '', hosts = '', port = '', opsPort = '', addresses] = process.argv.slice(2);
const attack = attacks[name] ?? openAttacks[name];
if (attack === undefined) throw new Error(`no attack ${JSON.stringify(name)}`);
process.on('disconnect', () => process.exit());
const ports = { port: Number(port), opsPort: Number(opsPort) };
await Promise.all(hosts.split(',').map(host => attack({ host, ...ports, addresses: addresses?.split(',') ?? [] })));
