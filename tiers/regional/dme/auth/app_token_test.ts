import assert from "node:assert/strict";
import { exportSPKI, generateKeyPair, importPKCS8, SignJWT } from "jose";
import { CERTIFICATE_PEM, PRIVATE_KEY_PEM } from "./certificate_fixture.ts";
import { AppTokenError, verifyAppToken } from "./app_token.ts";

const NOW_MS = 1_700_000_000_000;
const NOW = NOW_MS / 1000;
const APP = { organization: "acme", name: "alpha", version: "1.1" };
const CLAIMS = { orgname: "acme", appname: "alpha", appvers: "1.1", iat: NOW, exp: NOW + 60 };
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

const pair = await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
const pem = await exportSPKI(pair.publicKey);

/** What jose signs with; its keys are typed as Node's. */
type SigningKey = Parameters<SignJWT["sign"]>[0];

function sign(claims: Record<string, unknown>, key: SigningKey = pair.privateKey, alg = "RS256"): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
}

Deno.test("a token of the app's own back-end is accepted, by public key and by certificate", async () => {
  await verifyAppToken(await sign(CLAIMS), pem, APP, NOW_MS);
  const key = await importPKCS8(PRIVATE_KEY_PEM, "RS256");
  await verifyAppToken(await sign(CLAIMS, key), CERTIFICATE_PEM, APP, NOW_MS);
  const { exp: _, ...endless } = CLAIMS;
  await verifyAppToken(await sign(endless), pem, APP, NOW_MS + 1e12);
});

Deno.test("the other RSA algorithms are accepted", async () => {
  for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"]) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    await verifyAppToken(await sign(CLAIMS, privateKey, alg), await exportSPKI(publicKey), APP, NOW_MS);
  }
});

Deno.test("every other token is refused with its reason", async () => {
  const other = await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const ec = await generateKeyPair("ES256", { extractable: true });
  const hmac = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(pem));
  const none = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${(await sign(CLAIMS)).split(".")[1]}.`;
  const cases: [string, RegExp][] = [
    ["nonsense", /malformed/],
    ["", /malformed/],
    [none, /not signed with an RSA key/],
    [hmac, /not signed with an RSA key/],
    [await sign(CLAIMS, ec.privateKey, "ES256"), /not signed with an RSA key/],
    [await sign(CLAIMS, other.privateKey), /bad signature/],
    [await sign({ ...CLAIMS, exp: NOW - 1 }), /expired/],
    [await sign({ ...CLAIMS, nbf: NOW + 10 }), /nbf/],
    [await sign({ ...CLAIMS, iat: NOW + 10 }), /future/],
    [await sign({ ...CLAIMS, orgname: "other" }), /another orgname/],
    [await sign({ ...CLAIMS, appname: "other" }), /another appname/],
    [await sign({ ...CLAIMS, appvers: "other" }), /another appvers/],
    [await sign({ ...CLAIMS, appvers: undefined }), /another appvers/],
    ["x".repeat(20_000), /too long/],
  ];
  for (const [token, reason] of cases) {
    await assert.rejects(
      verifyAppToken(token, pem, APP, NOW_MS),
      (error) => error instanceof AppTokenError && reason.test(error.message),
      `${reason}`,
    );
  }
  await assert.rejects(verifyAppToken(await sign(CLAIMS), "not a key", APP, NOW_MS), /not an RSA key/);
  const ecPem = await exportSPKI(ec.publicKey);
  await assert.rejects(verifyAppToken(await sign(CLAIMS), ecPem, APP, NOW_MS), /not an RSA key/);
});
