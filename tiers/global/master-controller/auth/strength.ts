import { badRequest } from "../http/api_error.ts";
import { loadEstimator } from "./guesses.ts";

/** Guesses per second that an attacker is taken to make. */
const GUESSES_PER_SECOND = 1_000_000;

/** Only so much of a password is judged: the estimate grows faster than linearly with the length. */
const JUDGED_CHARACTERS = 72;

/** Seconds that a password is estimated to withstand guessing; longer passwords are judged by their beginning. */
export async function crackTimeSeconds(password: string): Promise<number> {
  // Word lists take memory, so they are loaded with the first password that is judged.
  const estimate = await loadEstimator();
  return estimate(password.slice(0, JUDGED_CHARACTERS)) / GUESSES_PER_SECOND;
}

/** Checks that a password withstands guessing for long enough. @throws {ApiError} 400 */
export function requireStrength(crackSeconds: number, minimumSeconds: number): void {
  if (crackSeconds >= minimumSeconds) return;
  throw badRequest(
    `Password too weak, requires crack time ${spanText(minimumSeconds)} but is ${spanText(crackSeconds)}. ` +
      "Please increase length or complexity",
  );
}

const UNITS: readonly [string, number][] = [
  ["year", 365 * 24 * 3600],
  ["month", 30 * 24 * 3600],
  ["day", 24 * 3600],
  ["hour", 3600],
  ["minute", 60],
];

/** A span of time in its largest unit, rounded down: `2 years`, `less than 1 second`. */
export function spanText(seconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  const count = Math.floor(seconds / length);
  if (count > 100 && unit === "year") return "centuries";
  return count === 0 ? "less than 1 second" : `${count} ${unit}${count === 1 ? "" : "s"}`;
}
