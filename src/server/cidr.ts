import { isIP } from 'node:net';

/** A range of addresses, such as `10.0.0.0/16` or `2001:db8::/32`. */
export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const mappedPrefix = '::ffff:';
const mappedBits = 96;

/**
 * A range in CIDR notation, or one address. An IPv4-mapped range (`::ffff:10.0.0.0/112`) is read as the IPv4 range that it stands for.
 * @returns undefined when it is neither.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  // A zone such as fe80::1%eth0 belongs to one machine; no range has one.
  if (version === 0 || address.includes('%') || rest.length > 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(prefix <= most)) return undefined;
  if (version === 4) return { address, prefix, family: 'ipv4' };
  const lower = address.toLowerCase();
  const mapped = lower.startsWith(mappedPrefix) ? lower.slice(mappedPrefix.length) : '';
  if (isIP(mapped) === 4 && prefix >= mappedBits) {
    return { address: mapped, prefix: prefix - mappedBits, family: 'ipv4' };
  }
  return { address, prefix, family: 'ipv6' };
}
