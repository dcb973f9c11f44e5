import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../runtime/mod.ts";
import {
  addressKey,
  type Algorithm,
  createLimiter,
  createRateLimiter,
  type LimitSettings,
  type Target,
} from "./mod.ts";

function setting(api: string, target: Target, algorithm: Algorithm): LimitSettings {
  return { name: "test", api, target, algorithm };
}

const ONE: Algorithm = { kind: "token-bucket", requestsPerSecond: 1, burst: 1 };
const limiterOf = (algorithm: Algorithm) => createLimiter(setting("Global", "all", algorithm));

function make(settings: LimitSettings[], maxTracked = 10) {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ settings, maxTracked, clock });
  return { clock, admit: (api: string, address = "192.0.2.1", user?: string) => limiter.admit({ api, address, user }) };
}

Deno.test("a token bucket of one a second refuses the second call at once, golden case 43", async () => {
  const { admit, clock } = make([setting("Global", "all", ONE)]);
  assert.equal(admit("X"), undefined);
  assert.throws(() => admit("X"), /^RateLimitError: X is refused, retry later: exceeded rate .* wait 1 s$/);
  await clock.advance(1000);
  assert.equal(admit("X"), undefined);
});

Deno.test("a window of three a second refuses the fourth call, golden case 44", async () => {
  const { admit, clock } = make([setting("Global", "all", { kind: "fixed-window", maxRequests: 3, intervalMs: 1000 })]);
  for (let i = 0; i < 3; i++) assert.equal(admit("X"), undefined);
  await clock.advance(400);
  assert.throws(() => admit("X"), /exceeded count of 3 requests in 1 s, wait 0.6 s$/);
  await clock.advance(600);
  assert.equal(admit("X"), undefined);
});

Deno.test("own limits stand in for the global ones; addresses and users are counted apart", () => {
  const { admit } = make([setting("Global", "address", ONE), setting("Own", "user", ONE)]);
  assert.equal(admit("X"), undefined);
  assert.throws(() => admit("Y"), /Client address: Y/);
  assert.equal(admit("X", "192.0.2.2"), undefined);
  assert.equal(admit("Own", "192.0.2.1", "ann"), undefined);
  assert.throws(() => admit("Own", "192.0.2.9", "ann"), /User: Own/);
  assert.equal(admit("Own", "192.0.2.1", "bob"), undefined);
  assert.equal(admit("Own"), undefined);
  assert.equal(admit("Own"), undefined);
});

Deno.test("limits are replaced while others keep what they have counted", () => {
  const clock = new FakeClock();
  const own = setting("Own", "all", ONE);
  const limiter = createRateLimiter({ settings: [own, setting("Global", "all", ONE)], maxTracked: 10, clock });
  const admit = (api: string) => limiter.admit({ api, address: "192.0.2.1" });
  for (const api of ["Own", "Other"]) admit(api);
  for (const api of ["Own", "Other"]) assert.throws(() => admit(api), /exceeded rate/);
  limiter.update([own, setting("Global", "all", { ...ONE, burst: 2 })], 10);
  assert.throws(() => admit("Own"), /exceeded rate/);
  for (let i = 0; i < 2; i++) admit("Other");
  assert.throws(() => admit("Other"), /exceeded rate/);
  assert.throws(() => limiter.update([setting("Own", "all", { ...ONE, burst: 0 })], 10), RangeError);
  assert.throws(() => admit("Own"), /exceeded rate/);
  limiter.update([], 10);
  for (let i = 0; i < 10; i++) admit("Own");
});

Deno.test("users who become known later are held to their limits alone", () => {
  const clock = new FakeClock();
  const settings = [setting("Global", "user", ONE), setting("Global", "all", { ...ONE, burst: 2 })];
  const limiter = createRateLimiter({ settings, maxTracked: 10, clock });
  const call = { api: "X", address: "192.0.2.1" };
  for (let i = 0; i < 2; i++) limiter.admit(call);
  for (const user of ["ann", "bob"]) limiter.admitUser({ ...call, user });
  assert.throws(() => limiter.admitUser({ ...call, user: "ann" }), /User: X/);
  assert.throws(() => limiter.admit(call), /exceeded rate/);
});

Deno.test("the address unseen for longest is forgotten", () => {
  const { admit } = make([setting("Global", "address", ONE)], 2);
  admit("X", "192.0.2.1");
  admit("X", "192.0.2.2");
  assert.throws(() => admit("X", "192.0.2.1"));
  admit("X", "192.0.2.3");
  assert.throws(() => admit("X", "192.0.2.1"));
  assert.equal(admit("X", "192.0.2.2"), undefined);
});

Deno.test("a leaky bucket lets calls out in turn and refuses only the impatient", async () => {
  const clock = new FakeClock();
  const settings = [setting("Global", "all", { kind: "leaky-bucket", requestsPerSecond: 10 })];
  const limiter = createRateLimiter({ settings, maxTracked: 1, clock });
  const call = { api: "X", address: "192.0.2.1" };
  assert.equal(limiter.admit(call), undefined);
  const order: number[] = [];
  const waiting = [1, 2].map((n) => limiter.admit(call)!.then(() => void order.push(n)));
  assert.throws(() => limiter.admit({ ...call, patienceMs: 299 }), /wait 0.3 s/);
  await clock.advance(100);
  assert.deepEqual(order, [1]);
  await clock.advance(100);
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2]);
});

Deno.test("IPv6 is counted by /64, mapped IPv4 as IPv4", () => {
  assert.equal(addressKey("192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("2001:db8:1:2:3:4:5:6"), addressKey("2001:0DB8:1:2::9"));
  assert.equal(addressKey("fe80::1%eth0"), addressKey("fe80::2"));
  assert.notEqual(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:3::1"));
  assert.equal(addressKey("::1"), "0:0:0:0::/64");
});

Deno.test("settings out of range are refused", () => {
  assert.throws(() => limiterOf({ ...ONE, burst: 0 }), /burst is 0/);
  assert.throws(() => limiterOf({ kind: "leaky-bucket", requestsPerSecond: 0 }), RangeError);
  assert.throws(() => limiterOf({ kind: "fixed-window", maxRequests: 1, intervalMs: 0 }), RangeError);
});

const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 100 });

Deno.test("a token bucket never lets more in than burst and rate allow", () => {
  const numbers = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(numbers, numbers, steps, (requestsPerSecond, burst, gaps) => {
    const limiter = limiterOf({ kind: "token-bucket", requestsPerSecond, burst });
    let now = 0, passed = 0;
    for (const gap of gaps) {
      now += gap;
      if (limiter.take(now, 0) === 0) passed++;
    }
    const first = gaps[0]!;
    assert.ok(passed >= 1 && passed <= burst + (now - first) / 1000 * requestsPerSecond + 1e-6);
  }));
});

Deno.test("a fixed window never lets more in than its count, and a waiting time told is right", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), steps, (maxRequests, gaps) => {
    const limiter = limiterOf({ kind: "fixed-window", maxRequests, intervalMs: 1000 });
    let now = 0;
    for (const gap of gaps) {
      now += gap;
      const verdict = limiter.take(now, 0);
      if (typeof verdict === "number") continue;
      assert.ok(verdict.retryAfterMs > 0 && verdict.retryAfterMs <= 1000);
      now += verdict.retryAfterMs;
      assert.equal(limiter.take(now, 0), 0);
    }
  }));
});

Deno.test("turns of a leaky bucket are at least its interval apart", () => {
  fc.assert(fc.property(steps, (gaps) => {
    const limiter = limiterOf({ kind: "leaky-bucket", requestsPerSecond: 10 });
    let now = 0, last = -Infinity;
    for (const gap of gaps) {
      now += gap;
      const wait = limiter.take(now, 250);
      if (typeof wait !== "number") continue;
      assert.ok(wait <= 250 && now + wait - last >= 100 - 1e-6);
      last = now + wait;
    }
  }));
});
