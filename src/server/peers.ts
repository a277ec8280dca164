import { BlockList, isIP } from 'node:net';
import type { Cidr } from './cidr.ts';

/** Who is at the other end of a connection. */
export interface Peer {
  /** As it is logged. */
  readonly address: string;
  /** What shares are counted by: the address, or the /64 of an IPv6 address, for one machine has all of a /64. */
  readonly share: string;
  /** A verified client certificate, or an address of `--api-server-cidrs`. */
  readonly trusted: boolean;
}

/** The first four groups of an IPv6 address. */
function network64(address: string): string {
  const [left = '', right] = (address.split('%')[0] ?? '').split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].slice(0, 4).join(':');
}

/** Tells the API server from strangers by its address. */
export class Peers {
  readonly #trusted = new BlockList();

  constructor(apiServerCidrs: readonly Cidr[] = []) {
    for (const { address, prefix, family } of apiServerCidrs) this.#trusted.addSubnet(address, prefix, family);
  }

  /** @param remoteAddress as a socket tells it; undefined when the socket is gone. */
  of(remoteAddress: string | undefined): Peer {
    // A socket that listens on :: tells IPv4 peers this way.
    const address = remoteAddress?.replace(/^::ffff:(?=[0-9.]+$)/i, '') ?? 'unknown';
    switch (isIP(address)) {
      case 4:
        return { address, share: address, trusted: this.#trusted.check(address, 'ipv4') };
      case 6: {
        const plain = address.split('%')[0] ?? '';
        return { address, share: network64(address), trusted: this.#trusted.check(plain, 'ipv6') };
      }
      default:
        return { address, share: address, trusted: false };
    }
  }
}
