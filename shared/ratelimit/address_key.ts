/**
 * Under what an address is counted: IPv4 (also when written as IPv6) as it is, IPv6 by its /64, because one device has
 * all addresses of one.
 */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const plain = address.split("%")[0]!.toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  if (mapped) return mapped[1]!;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    // An IPv4 tail stands for two groups.
    const length = after.length + (after.at(-1)?.includes(".") ? 1 : 0);
    while (groups.length + length < 8) groups.push("0");
    groups.push(...after);
  }
  return `${groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
