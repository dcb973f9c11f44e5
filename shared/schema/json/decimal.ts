/** Most digits before and behind the point. */
const MAX_WHOLE_DIGITS = 18;
const MAX_FRACTION_DIGITS = 9;

const DECIMAL = /^0*(\d+?)(?:\.(\d*?)0*)?$/;

/**
 * Canonical text of an exact decimal number of at least 0: no leading zeros, no trailing ones behind the point, and nothing
 * at all for zero. Undefined when it is none, or has more than 18 digits before or 9 behind the point.
 */
export function parseDecimal(value: string | number): string | undefined {
  const match = DECIMAL.exec(String(value));
  if (match === null) return undefined;
  const [, whole = "", fraction = ""] = match;
  if (whole.length > MAX_WHOLE_DIGITS || fraction.length > MAX_FRACTION_DIGITS) return undefined;
  const text = fraction === "" ? whole : `${whole}.${fraction}`;
  return text === "0" ? "" : text;
}

/** Number of a canonical decimal; above 15 digits it is the nearest one. */
export function decimalNumber(text: string): number {
  return Number(text);
}
