import { addressKey } from "./address_key.ts";
import { createLimiter, GLOBAL_API, type LimitSettings, type Target } from "./settings.ts";
import type { Limiter, Refused } from "./verdict.ts";

/** A call that was refused; the message is public. */
export class RateLimitError extends Error {
  override readonly name = "RateLimitError";
  /** Time until another call may pass, ms. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Who calls what. */
export interface LimitedCall {
  readonly api: string;
  /** IP address without a port. */
  readonly address: string;
  /** Left out when nobody is known by name. */
  readonly user?: string;
  /** How long the caller would wait, ms. @default without end */
  readonly patienceMs?: number;
}

/** What a rate limiter is made of. */
export interface RateLimiterOptions {
  readonly settings: readonly LimitSettings[];
  /** Addresses, and as many users, remembered per API; those unseen for longest are forgotten. */
  readonly maxTracked: number;
  readonly clock: { monotonic(): number; sleep(ms: number): Promise<void> };
}

/** Lets calls in or refuses them. */
export interface RateLimiter {
  /**
   * Asks for one call. All limits of the API must let it pass, or those of {@link GLOBAL_API} when it has none, in the
   * order address, user, all.
   *
   * @returns undefined when it may go on at once, else a promise of its turn
   * @throws {RateLimitError} When it is refused.
   */
  admit(call: LimitedCall): Promise<void> | undefined;
  /**
   * The same by the limits for each user alone, for callers who become known only after they were admitted without a name.
   *
   * @throws {RateLimitError} When it is refused.
   */
  admitUser(call: LimitedCall & { readonly user: string }): Promise<void> | undefined;
  /**
   * Replaces the limits. What was counted for those of an API and target stays if they stay the same.
   *
   * @throws {RangeError} When a setting is out of its range; then nothing changes.
   */
  update(settings: readonly LimitSettings[], maxTracked: number): void;
}

interface TargetLimits {
  readonly target: Target;
  /** What it was made of. */
  readonly source: string;
  limitersOf(key: string): readonly Limiter[];
}

const ORDER: readonly Target[] = ["address", "user", "all"];

/** Makes a rate limiter. @throws {RangeError} When a setting is out of its range. */
export function createRateLimiter({ settings, maxTracked, clock }: RateLimiterOptions): RateLimiter {
  let apis: ReadonlyMap<string, readonly TargetLimits[]> = new Map();

  function update(settings: readonly LimitSettings[], maxTracked: number): void {
    for (const setting of settings) createLimiter(setting);
    const before = apis;
    const next = new Map<string, TargetLimits[]>();
    for (const [api, own] of Map.groupBy(settings, (setting) => setting.api)) {
      const byTarget = Map.groupBy(own, (setting) => setting.target);
      const present = ORDER.filter((target) => byTarget.has(target));
      next.set(
        api,
        present.map((target) => {
          const limits = byTarget.get(target)!;
          const source = JSON.stringify([maxTracked, limits]);
          const same = before.get(api)?.find((each) => each.target === target && each.source === source);
          return same ?? { target, source, limitersOf: tracked(limits, maxTracked) };
        }),
      );
    }
    apis = next;
  }

  function take(call: LimitedCall, only?: Target): Promise<void> | undefined {
    const nowMs = clock.monotonic();
    let waitMs = 0;
    for (const { target, limitersOf } of apis.get(call.api) ?? apis.get(GLOBAL_API) ?? []) {
      const key = only === undefined || only === target ? keyOf(target, call) : undefined;
      if (key === undefined) continue;
      for (const limiter of limitersOf(key)) {
        const verdict = limiter.take(nowMs, call.patienceMs ?? Infinity);
        if (typeof verdict !== "number") throw refusal(call.api, target, verdict);
        waitMs = Math.max(waitMs, verdict);
      }
    }
    return waitMs > 0 ? clock.sleep(waitMs) : undefined;
  }

  update(settings, maxTracked);
  return { admit: (call) => take(call), admitUser: (call) => take(call, "user"), update };
}

function keyOf(target: Target, call: LimitedCall): string | undefined {
  switch (target) {
    case "all":
      return "";
    case "address":
      return addressKey(call.address);
    case "user":
      return call.user;
  }
}

/** Limiters by key, those of the key unseen for longest forgotten first. */
function tracked(settings: readonly LimitSettings[], max: number): (key: string) => readonly Limiter[] {
  const known = new Map<string, readonly Limiter[]>();
  let latest: { key: string; limiters: readonly Limiter[] } | undefined;
  return (key) => {
    // The one that was asked for last is already where it would be moved to.
    if (latest?.key === key) return latest.limiters;
    let limiters = known.get(key);
    if (limiters !== undefined) {
      known.delete(key);
    } else {
      limiters = settings.map(createLimiter);
      if (known.size >= max) {
        const { value: oldest } = known.keys().next();
        if (oldest !== undefined) known.delete(oldest);
      }
    }
    known.set(key, limiters);
    latest = { key, limiters };
    return limiters;
  };
}

function refusal(api: string, target: Target, { exceeded, limit, retryAfterMs }: Refused): RateLimitError {
  const whose = { all: "", address: "Client address: ", user: "User: " }[target];
  const seconds = Math.ceil(retryAfterMs) / 1000;
  const text = `${whose}${api} is refused, retry later: exceeded ${exceeded} of ${limit}, wait ${seconds} s`;
  return new RateLimitError(text, retryAfterMs);
}
