import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type SigningKeys, signToken, verifyToken } from "./tokens.ts";

const SECRETS = new Map([[1, new Uint8Array(64).fill(1)], [2, new Uint8Array(64).fill(2)]]);
const NOW_SEC = 1_800_000_000;

function keys(current: number): SigningKeys {
  return {
    current: () => Promise.resolve({ kid: current, secret: SECRETS.get(current)! }),
    byKid: (kid) => Promise.resolve(SECRETS.get(kid)),
  };
}

const CLAIMS = {
  use: "session",
  username: "ann",
  email: "ann@example.com",
  iat: NOW_SEC,
  exp: NOW_SEC + 3600,
  firstiat: NOW_SEC,
  authtype: "passwordauth",
  epoch: 0,
} as const;

function forge(header: object, claims: object, secret: Uint8Array): string {
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const content = `${part(header)}.${part(claims)}`;
  return `${content}.${createHmac("sha512", secret).update(content).digest("base64url")}`;
}

Deno.test("verifyToken() takes tokens of the current and of earlier keys", async () => {
  const old = await signToken(keys(1), CLAIMS);
  assert.deepEqual(await verifyToken(keys(2), old, ["session"], NOW_SEC * 1000), { ...CLAIMS, kid: 1 });
});

Deno.test("verifyToken() tells an expired token from a wrong one", async () => {
  const token = await signToken(keys(1), CLAIMS);
  await assert.rejects(verifyToken(keys(1), token, ["session"], (CLAIMS.exp + 3725) * 1000), {
    status: 400,
    message: "Token is expired by 1h2m5s",
  });
  await assert.rejects(verifyToken(keys(1), token, ["session"], CLAIMS.exp * 1000), {
    message: "Token is expired by 0s",
  });
});

Deno.test("verifyToken() refuses what is not ours, whatever it looks like", async () => {
  const secret = SECRETS.get(1)!;
  const good = await signToken(keys(1), CLAIMS);
  const [header, body, signature] = good.split(".");
  const claims = { ...CLAIMS, kid: 1 };
  const refused = [
    "",
    "rubbish",
    "a.b.c",
    `${header}.${body}`,
    `${header}.${body}.`,
    `${good}.x`,
    `${header}.${body}.${signature!.slice(0, -4)}AAAA`,
    forge({ alg: "none" }, claims, secret),
    forge({ alg: "HS256" }, claims, secret),
    forge({ alg: "HS512" }, claims, new Uint8Array(64)),
    forge({ alg: "HS512" }, { ...claims, kid: 99 }, secret),
    forge({ alg: "HS512" }, { ...claims, use: "passwordreset" }, secret),
    forge({ alg: "HS512" }, { ...claims, exp: "never" }, secret),
    forge({ alg: "HS512" }, { ...claims, username: undefined }, secret),
    "x".repeat(100_000),
  ];
  for (const token of refused) {
    await assert.rejects(verifyToken(keys(1), token, ["session"], NOW_SEC * 1000), {
      status: 401,
      message: "Invalid or expired jwt",
    }, token.slice(0, 80));
  }
  assert.ok(await verifyToken(keys(1), forge({ alg: "HS512" }, claims, secret), ["session"], NOW_SEC * 1000));
});
