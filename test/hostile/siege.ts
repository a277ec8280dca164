import { setTimeout as sleep } from 'node:timers/promises';
import { BesiegedServer, type ProbeResult } from './besieged-server.ts';
import { Bystander, type Experience } from './bystander.ts';
import type { Strain } from './loop-probe.ts';

/** Where attackers come from. The bystander, who stands for the API server, is at 127.0.0.1. */
export const positions = {
  'one address': ['127.0.0.2'],
  'a hundred addresses': Array.from({ length: 100 }, (_, index) => `127.0.1.${index + 1}`),
  "the API server's own address": ['127.0.0.1'],
} as const;
export type Position = keyof typeof positions;

export interface Report {
  readonly alive: boolean;
  readonly strain: Strain;
  readonly experience: Experience;
  readonly probes: readonly ProbeResult[];
  readonly complaints: BesiegedServer['complaints'];
}

/** One attack, or several at once, for some seconds, beside a bystander and kubelet's probes. */
export async function besiege(names: readonly string[], position: Position, seconds: number): Promise<Report> {
  const server = await BesiegedServer.start();
  const bystander = new Bystander(server.port, '127.0.0.1');
  try {
    bystander.start();
    await sleep(300);
    await server.strain();
    for (const name of names) server.attack(name, positions[position]);
    const probes: ProbeResult[] = [];
    const endAt = performance.now() + seconds * 1000;
    while (performance.now() < endAt) {
      for (const path of ['/livez', '/readyz']) probes.push(await server.probe(path, 1_000));
      await sleep(200);
    }
    const strain = await server.strain();
    const experience = await bystander.end();
    await server.endAttacks();
    return { alive: server.isAlive, strain, experience, probes, complaints: server.complaints };
  } finally {
    await bystander.end();
    await server.stop();
  }
}
