const MAX_INT64 = 2n ** 63n - 1n;

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  "μs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Text of a duration in nanoseconds: `1h30m0s`, `1.5s`, `20ms`, `0s`. */
export function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  let rest = BigInt(Math.abs(nanoseconds));
  if (rest < 1_000_000_000n) {
    if (rest < 1_000n) return `${sign}${rest}ns`;
    if (rest < 1_000_000n) return `${sign}${decimal(rest, 3)}µs`;
    return `${sign}${decimal(rest, 6)}ms`;
  }
  const hours = rest / 3_600_000_000_000n;
  rest %= 3_600_000_000_000n;
  const minutes = rest / 60_000_000_000n;
  rest %= 60_000_000_000n;
  const seconds = `${decimal(rest, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  return fraction === "" ? text.slice(0, -digits) : `${text.slice(0, -digits)}.${fraction}`;
}

/**
 * Nanoseconds of a text such as `1h30m`, `-1.5s` or `0`; undefined when it is none, or cannot be told exactly: beyond 104
 * days a number holds whole seconds up to 292 years, but not every nanosecond.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^([-+]?)(.+)$/.exec(text);
  if (match === null) return undefined;
  if (match[2] === "0") return 0;
  let rest = match[2]!;
  let total = 0n;
  while (rest !== "") {
    const part = /^(\d{1,19}(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (part === null) return undefined;
    total += partNs(part[1]!, UNITS_NS[part[2]!]!);
    rest = rest.slice(part[0].length);
  }
  const nanoseconds = Number(total);
  if (total > MAX_INT64 || BigInt(nanoseconds) !== total) return undefined;
  return match[1] === "-" && nanoseconds !== 0 ? -nanoseconds : nanoseconds;
}

/** Whole and fraction apart, so that long durations with small fractions stay exact; below a nanosecond is cut off. */
function partNs(digits: string, unitNs: number): bigint {
  const [whole, fraction = ""] = digits.split(".");
  const fractionNs = BigInt(fraction.padEnd(18, "0").slice(0, 18)) * BigInt(unitNs) / 10n ** 18n;
  return BigInt(whole === "" ? 0 : whole!) * BigInt(unitNs) + fractionNs;
}
