import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { edgeEventsCookies, prepareInstance, printLocation } from "./edge_events.ts";
import { signToken, TokenError } from "./jwt.ts";
import { type CookieKeys, fixedKeys } from "./keys.ts";
import { MAX_REMEMBERED_TOKENS } from "./cookie_jar.ts";
import { MacKey } from "./mac.ts";
import { type Session, sessionCookies } from "./session.ts";

const ISSUED_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const SESSION: Session = {
  peerIp: "127.0.0.1",
  organization: "acme",
  appName: "alpha",
  appVersion: "1.1",
  uniqueIdType: "headset",
  uniqueId: "123",
};
const PROVEN = { ...SESSION, app: "acme\nalpha\n1.1", device: "headset\n123" };
const GOLDEN = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9." +
  "eyJleHAiOjE3MDAwODY0MDAsImlhdCI6MTcwMDAwMDAwMCwia2V5Ijp7InBlZXJpcCI6IjEyNy4wLjAuMSIsIm9yZ25hbWUiOiJhY21lIiwiYXBwbmFt" +
  "ZSI6ImFscGhhIiwiYXBwdmVycyI6IjEuMSIsInVuaXF1ZWlkdHlwZSI6ImhlYWRzZXQiLCJ1bmlxdWVpZCI6IjEyMyIsImtpZCI6MX19." +
  "mOvld7UeTHW8rQAW6Qdm0M4e5HjIicRA3sK9nz8C_22JSvLAX0SMTVZk1AI9EvOmGwWg3CaIbh6WGQH38uIiTw";

function sessions(nowMs = ISSUED_MS, keys: CookieKeys = fixedKeys(1, "12345")) {
  const clock = { nowMs };
  return { clock, jar: sessionCookies({ keys, now: () => clock.nowMs, lifetimeMs: DAY_MS }) };
}

function claims(key: object, times: object = {}): string {
  return JSON.stringify({ exp: ISSUED_MS / 1000 + 60, iat: ISSUED_MS / 1000, ...times, key });
}

const secret = new TextEncoder().encode("12345");
const macKey = new MacKey(secret);
const key = { orgname: "acme", appname: "alpha", appvers: "1.1", kid: 1 };

Deno.test("a session cookie has exactly the specified bytes, golden case 46", async () => {
  const { jar } = sessions();
  assert.equal(await jar.issue(SESSION), GOLDEN);
  assert.deepEqual(await jar.verify(GOLDEN), PROVEN);
});

Deno.test("a cookie is good until it expires, also when it is remembered", async () => {
  const { jar, clock } = sessions();
  await jar.verify(GOLDEN);
  assert.deepEqual(jar.recall(GOLDEN), PROVEN);
  clock.nowMs = ISSUED_MS + DAY_MS - 1;
  assert.equal(jar.recall(GOLDEN), undefined, "trusted for a minute only");
  await jar.verify(GOLDEN);
  assert.deepEqual(jar.recall(GOLDEN), PROVEN);
  clock.nowMs += 1;
  assert.equal(jar.recall(GOLDEN), undefined);
  await assert.rejects(jar.verify(GOLDEN), (error: TokenError) => error.message === "is expired");
});

Deno.test("cookies that are missing, malformed or forged are refused, each with its reason", async () => {
  const { jar } = sessions();
  const [header, payload, signature] = GOLDEN.split(".") as [string, string, string];
  const encode = (text: string) => btoa(text).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const cases: [string, RegExp][] = [
    ["", /is missing/],
    ["a.b", /three segments/],
    [`${GOLDEN}.x`, /three segments/],
    [`${header}.${payload}.!!`, /not base64url/],
    [`${header}.%.${signature}`, /not base64url/],
    [`${header}.${encode("[]")}.${signature}`, /not an object/],
    [`${header}.${encode("{")}.${signature}`, /not JSON/],
    [`${encode('{"alg":"none"}')}.${payload}.`, /not signed with HS512/],
    [`${encode('{"alg":"HS256","typ":"JWT"}')}.${payload}.${signature}`, /not signed with HS512/],
    [`${header}.${payload}.`, /bad signature/],
    [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, /bad signature/],
    [signToken(claims(key), new MacKey(new TextEncoder().encode("54321"))), /bad signature/],
    [signToken('{"exp":2000000000,"iat":1}', macKey), /no key claim/],
    [signToken(claims([]), macKey), /no key claim/],
    [signToken(claims({ ...key, kid: 2 }), macKey), /kid 2/],
    [signToken(claims({ ...key, kid: "1" }), macKey), /valid key id/],
    [signToken(claims({ ...key, appname: 7 }), macKey), /appname that is not text/],
    [signToken(claims(key, { exp: undefined }), macKey), /no valid exp/],
    [signToken(claims(key, { iat: ISSUED_MS / 1000 + 1 }), macKey), /issued in the future/],
    [signToken(claims(key, { nbf: ISSUED_MS / 1000 + 1 }), macKey), /not valid yet/],
    ["x".repeat(10_000), /too long/],
  ];
  for (const [cookie, reason] of cases) {
    await assert.rejects(
      jar.verify(cookie),
      (error) => error instanceof TokenError && reason.test(error.message),
      cookie,
    );
    assert.equal(jar.recall(cookie), undefined);
  }
  assert.equal(jar.remembered, 0);
});

Deno.test("no change of any character of a cookie passes", async () => {
  const { jar } = sessions();
  await fc.assert(
    fc.asyncProperty(fc.nat(GOLDEN.length - 1), fc.string({ minLength: 1, maxLength: 1 }), async (at, char) => {
      const changed = GOLDEN.slice(0, at) + char + GOLDEN.slice(at + 1);
      // The last character of a base64url signature of 64 bytes has two unused bits.
      fc.pre(changed !== GOLDEN && at !== GOLDEN.length - 1);
      await assert.rejects(jar.verify(changed), TokenError);
    }),
  );
});

Deno.test("after a rotation cookies of the key before still count, and new ones carry the new key's id", async () => {
  const known = new Map([[1, secret]]);
  const keys: CookieKeys = {
    current: () => Promise.resolve({ kid: Math.max(...known.keys()), secret: known.get(Math.max(...known.keys()))! }),
    atHand: () => undefined,
    byKid: (kid) => Promise.resolve(known.get(kid)),
  };
  const { jar, clock } = sessions(ISSUED_MS, keys);
  known.set(2, new TextEncoder().encode("67890"));
  assert.deepEqual(await jar.verify(GOLDEN), PROVEN);
  const second = await jar.issue(SESSION);
  assert.notEqual(second, GOLDEN);
  assert.match(atob(second.split(".")[1]!), /"kid":2/);
  assert.deepEqual(await jar.verify(second), PROVEN);
  known.delete(1);
  clock.nowMs += 61_000;
  assert.equal(jar.recall(GOLDEN), undefined);
  await assert.rejects(jar.verify(GOLDEN), /kid 1/);
});

Deno.test("an edge-events cookie carries the names and the place of the request", async () => {
  const options = { keys: fixedKeys(1, "12345"), now: () => ISSUED_MS, lifetimeMs: 600_000 };
  const jar = edgeEventsCookies(options);
  const edge = {
    clusterOrganization: "acme",
    clusterName: "testcluster",
    cloudletOrganization: "northtel",
    cloudletName: "north-3",
    location: { latitude: 50.65, longitude: 6.341, speed: 3 },
  };
  const cookie = await jar.issue(edge);
  const payload = JSON.parse(atob(cookie.split(".")[1]!));
  assert.deepEqual(payload, {
    exp: ISSUED_MS / 1000 + 600,
    iat: ISSUED_MS / 1000,
    key: {
      clusterorg: "acme",
      clustername: "testcluster",
      cloudletorg: "northtel",
      cloudletname: "north-3",
      location: { latitude: 50.65, longitude: 6.341, speed: 3 },
      kid: 1,
    },
  });
  assert.deepEqual(await jar.verify(cookie), edge);
  await assert.rejects(jar.verify(GOLDEN), TokenError, "a session cookie is no edge-events cookie");
  const session = await sessionCookies(options).verify(cookie);
  assert.equal(session.appName, "", "an edge-events cookie names no app");
  const out = await jar.issue({ ...edge, location: { latitude: 91, longitude: 0 } });
  await assert.rejects(jar.verify(out), /out of range/);
});

Deno.test("the memory of verified cookies is bounded", async () => {
  const { jar } = sessions();
  for (let index = 0; index < MAX_REMEMBERED_TOKENS + 10; index++) {
    await jar.verify(signToken(claims({ ...key, uniqueid: String(index) }), macKey));
  }
  assert.equal(jar.remembered, MAX_REMEMBERED_TOKENS);
});

Deno.test("prepared keys give the codes of HMAC-SHA-512, for keys and texts of any length", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const texts = fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 9_000, size: "max" }), { maxLength: 3 });
  const plain = (bytes: Uint8Array, text: string) => new Uint8Array(createHmac("sha512", bytes).update(text).digest());
  fc.assert(fc.property(bytes, texts, (bytes, texts) => {
    const key = new MacKey(bytes);
    for (const text of texts) assert.deepEqual(key.code(text).slice(), plain(bytes, text));
  }));
  // Every way in which a text may end in its last block.
  for (const length of [...Array(300).keys(), 70_000]) {
    const text = "x".repeat(length);
    assert.deepEqual(new Uint8Array(macKey.code(text)), plain(secret, text), `${length}`);
  }
});

Deno.test("what is printed in parts is what the whole is as JSON", async () => {
  const keys = {
    latitude: fc.double(),
    longitude: fc.double(),
    altitude: fc.double(),
    speed: fc.constantFrom(0, -0, 1.5),
  };
  const timestamp = fc.option(fc.record({ seconds: fc.nat(), nanos: fc.nat() }), { nil: undefined });
  const name = fc.oneof(fc.constant(""), fc.string({ unit: "binary" }));
  const options = { keys: fixedKeys(1, "12345"), now: () => ISSUED_MS, lifetimeMs: 600_000 };
  const names = { clusterOrganization: name, clusterName: name, cloudletOrganization: name, cloudletName: name };
  const edges = fc.record({ ...names, location: fc.record({ ...keys, timestamp }) });
  await fc.assert(fc.asyncProperty(edges, async (edge) => {
    const jar = edgeEventsCookies(options);
    const set = <T>(value: T) => value === "" || value === 0 ? undefined : value;
    const { latitude, longitude, altitude, speed, timestamp: time } = edge.location;
    const location = {
      ...{ latitude: set(latitude), longitude: set(longitude), altitude: set(altitude), speed: set(speed) },
      timestamp: time && { seconds: set(time.seconds), nanos: set(time.nanos) },
    };
    const key = {
      ...{ clusterorg: set(edge.clusterOrganization), clustername: set(edge.clusterName) },
      ...{ cloudletorg: set(edge.cloudletOrganization), cloudletname: set(edge.cloudletName) },
      ...{ location, kid: 1 },
    };
    const whole = JSON.stringify({ exp: ISSUED_MS / 1000 + 600, iat: ISSUED_MS / 1000, key });
    const cookie = signToken(whole, macKey);
    assert.equal(await jar.issue(edge), cookie);
    assert.equal(JSON.parse(Buffer.from(cookie.split(".")[1]!, "base64url").toString()).key.kid, 1);
    const prepared = await jar.issuePrepared(prepareInstance(edge), printLocation(edge.location));
    assert.equal(Buffer.from(prepared).toString(), cookie);
  }));
});
