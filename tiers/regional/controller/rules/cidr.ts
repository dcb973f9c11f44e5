import { isIP } from "node:net";

/** A block of addresses. */
export interface Cidr {
  readonly version: 4 | 6;
  /** First address. */
  readonly first: bigint;
  /** Last address. */
  readonly last: bigint;
}

/** The block of a text such as `10.0.0.0/8` or `2001:db8::/32`; undefined when it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, prefix, ...rest] = text.split("/");
  if (rest.length > 0 || prefix === undefined || !/^\d{1,3}$/.test(prefix)) return undefined;
  const version = isIP(address!);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || address!.includes("%") || Number(prefix) > bits) return undefined;
  const hostBits = BigInt(bits - Number(prefix));
  const number = version === 4 ? ipv4Number(address!) : ipv6Number(address!);
  const first = (number >> hostBits) << hostBits;
  return { version: version as 4 | 6, first, last: first + (1n << hostBits) - 1n };
}

/** Whether all addresses of one block are in another. */
export function cidrContains(outer: Cidr, inner: Cidr): boolean {
  return outer.version === inner.version && outer.first <= inner.first && inner.last <= outer.last;
}

function ipv4Number(address: string): bigint {
  return address.split(".").reduce((number, part) => number * 256n + BigInt(part), 0n);
}

function ipv6Number(address: string): bigint {
  // An IPv4 address may stand for the last two groups.
  const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, (ipv4) => {
    const number = ipv4Number(ipv4);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [left, right] = text.split("::").map((half) => half === "" ? [] : half.split(":"));
  const groups = right === undefined
    ? left!
    : [...left!, ...Array(8 - left!.length - right.length).fill("0"), ...right];
  return groups.reduce((number, group) => number * 65_536n + BigInt(`0x${group}`), 0n);
}
