import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ackCommonGroup } from '../../src/accounts/ack-service.ts';
import { ackServices } from '../../src/accounts/ack-services.ts';
import { type AckKind, bucketKind } from './ack-crds.ts';

/** All kinds of ACK's services; where the folder of the real ones is not there, as many over all groups. */
export function everyAckKind(): readonly AckKind[] {
  const folder = process.env['ACK_CRDS'] ?? '';
  if (folder === '') {
    return Array.from({ length: 256 }, (_, index) => {
      const group = `${ackServices[index % ackServices.length]}.${ackCommonGroup}`;
      return { ...bucketKind, group, kind: `Thing${index}`, plural: `thing${index}s` };
    });
  }
  const facts = JSON.parse(readFileSync(join(folder, 'ack-groups-kinds.json'), 'utf8')) as {
    readonly groups: Readonly<Record<string, { readonly kinds: readonly Omit<AckKind, 'group'>[] }>>;
  };
  const kinds = Object.entries(facts.groups).flatMap(([group, one]) => one.kinds.map(kind => ({ group, ...kind })));
  return kinds.filter(({ group }) => group !== ackCommonGroup);
}

/** Runs them all, some at a time. */
export async function eachAtOnce<T>(items: Iterable<T>, run: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
