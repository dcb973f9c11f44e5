import assert from "node:assert/strict";
import { createRateLimiter, type LimitSettings, type Target } from "../../../../shared/ratelimit/mod.ts";
import { FakeClock } from "../../../../shared/runtime/mod.ts";
import { overBothFaces, refusal } from "../testing/clients.ts";
import { type TestRegion, testRegion } from "../testing/region.ts";

const clocks = new WeakMap<TestRegion, FakeClock>();

function limited(settings: readonly LimitSettings[]): () => TestRegion {
  return () => {
    const clock = new FakeClock();
    const region = testRegion(undefined, undefined, createRateLimiter({ settings, maxTracked: 100, clock }));
    clocks.set(region, clock);
    return region;
  };
}

const bucket = limited([{
  name: "one",
  api: "Global",
  target: "address",
  algorithm: { kind: "token-bucket", requestsPerSecond: 1, burst: 1 },
}]);
const window = limited([{
  name: "three",
  api: "Global",
  target: "all",
  algorithm: { kind: "fixed-window", maxRequests: 3, intervalMs: 1000 },
}]);
const perUser = limited([{
  name: "two",
  api: "Global",
  target: "user",
  algorithm: { kind: "fixed-window", maxRequests: 2, intervalMs: 1000 },
}]);
function verify(target: Target, requestsPerSecond: number, burst: number): LimitSettings {
  return {
    name: `verify ${target}`,
    api: "VerifyLocation",
    target,
    algorithm: { kind: "token-bucket", requestsPerSecond, burst },
  };
}
const place = { gpsLocation: { latitude: 50, longitude: 8 } };

overBothFaces(
  "a second call at once is refused before its cookie is looked at, golden case 43",
  async (client, region) => {
    await assert.rejects(client.call("findCloudlet", place), refusal("UNAUTHENTICATED", /missing/));
    await assert.rejects(
      client.call("findCloudlet", place),
      refusal("RESOURCE_EXHAUSTED", /FindCloudlet.*exceeded rate/),
    );
    await clocks.get(region)!.advance(1000);
    await assert.rejects(client.call("findCloudlet", place), refusal("UNAUTHENTICATED", /missing/));
  },
  bucket,
);

overBothFaces("a fourth call in a window is refused, golden case 44", async (client, region) => {
  const register = () => client.call("registerClient", { orgName: "acme", appName: "alpha", appVers: "1.1" });
  for (let i = 0; i < 3; i++) await register();
  await assert.rejects(register(), refusal("RESOURCE_EXHAUSTED", /RegisterClient.*exceeded count/));
  await clocks.get(region)!.advance(1000);
  await register();
}, window);

overBothFaces("VerifyLocation has a burst of 25 of its own for an address", async (client) => {
  const verify = () => client.call("verifyLocation", place);
  for (let i = 0; i < 25; i++) await assert.rejects(verify(), refusal("UNAUTHENTICATED", /missing/));
  await assert.rejects(verify(), refusal("RESOURCE_EXHAUSTED", /Client address: VerifyLocation/));
  await assert.rejects(client.call("findCloudlet", place), refusal("UNAUTHENTICATED", /missing/));
}, limited([verify("all", 5000, 50), verify("address", 1000, 25)]));

Deno.test("REST answers 429, and callers from different addresses do not share a limit", async () => {
  const region = bucket();
  const ask = async (address: string) => {
    const request = new Request("https://localhost/v1/findcloudlet", { method: "POST", body: "{}" });
    const response = await region.rest(request, { address });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask("192.0.2.1"), 401);
  assert.equal(await ask("192.0.2.1"), 429);
  assert.equal(await ask("192.0.2.2"), 401);
});

overBothFaces("each device has a limit of its own, once its cookie has shown who it is", async (client, region) => {
  const app = { orgName: "acme", appName: "alpha", appVers: "1.1", uniqueIdType: "test" };
  const devices: { sessionCookie: string }[] = [];
  for (const uniqueId of ["one", "two"]) devices.push(await client.call("registerClient", { ...app, uniqueId }));
  const find = (device: number) =>
    client.call("findCloudlet", { ...place, sessionCookie: devices[device]!.sessionCookie });
  for (let i = 0; i < 2; i++) await find(0);
  await assert.rejects(find(0), refusal("RESOURCE_EXHAUSTED", /User: FindCloudlet/));
  await find(1);
  await assert.rejects(client.call("findCloudlet", place), refusal("UNAUTHENTICATED", /missing/));
  await clocks.get(region)!.advance(1000);
  await find(0);
}, perUser);
