import type { Clock, RandomSource } from "../../../../shared/runtime/mod.ts";

/** Life of a challenge, in milliseconds. */
export const CHALLENGE_TTL_MS = 60_000;
/** Most challenges that are open at a time: anybody may ask for one, so the oldest go first. */
const MAX_OPEN_CHALLENGES = 20_000;
const CHALLENGE_BYTES = 24;

/** Texts to sign, each good for one call within a minute and on this controller alone. */
export interface Challenges {
  issue(): string;
  /** Takes a challenge up; false when it is unknown, too old or was used. */
  use(challenge: string): boolean;
}

/** Keeps challenges in memory. */
export function createChallenges(clock: Pick<Clock, "now">, random: RandomSource): Challenges {
  // In the order in which they end, as a map keeps the order of insertion.
  const open = new Map<string, number>();

  function trim(nowMs: number): void {
    for (const [challenge, endsMs] of open) {
      if (endsMs > nowMs && open.size < MAX_OPEN_CHALLENGES) return;
      open.delete(challenge);
    }
  }

  return {
    issue() {
      trim(clock.now());
      const challenge = random.bytes(CHALLENGE_BYTES).toBase64({ alphabet: "base64url" });
      open.set(challenge, clock.now() + CHALLENGE_TTL_MS);
      return challenge;
    },
    use(challenge) {
      const endsMs = open.get(challenge);
      open.delete(challenge);
      return endsMs !== undefined && endsMs > clock.now();
    },
  };
}
