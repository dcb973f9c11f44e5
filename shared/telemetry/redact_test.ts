import assert from "node:assert/strict";
import fc from "fast-check";
import { errorFields, isSecretName, redact, redactText } from "./mod.ts";

Deno.test("isSecretName knows secrets by any spelling and leaves their files, counts and names alone", () => {
  const secret = [
    "password",
    "dbPassword",
    "API-KEY",
    "privateKey",
    "private_pem",
    "Authorization",
    "Set-Cookie",
    "kek",
    "sessionToken",
  ];
  const plain = [
    "key",
    "passwordFile",
    "secretsPath",
    "token_count",
    "tokenType",
    "author",
    "secret_version",
    "name",
    "keyString",
  ];
  assert.deepEqual(secret.filter((name) => !isSecretName(name)), []);
  assert.deepEqual(plain.filter(isSecretName), []);
});

Deno.test("redact hides secrets at any depth and keeps the rest", () => {
  const value = {
    user: "ann",
    login: { password: "hunter2", hasPassword: true, list: [{ token: 5 }] },
    when: new Date(0),
  };
  assert.deepEqual(redact(value), {
    user: "ann",
    login: { password: "***", hasPassword: true, list: [{ token: "***" }] },
    when: "1970-01-01T00:00:00.000Z",
  });
});

Deno.test("redactText hides secrets inside texts", () => {
  assert.equal(redactText("postgres://ann:hunter2@db:5432/x failed"), "postgres://ann:***@db:5432/x failed");
  assert.equal(redactText("sent Bearer abcdefghijkl to it"), "sent Bearer *** to it");
  assert.equal(redactText("got eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl!"), "got ***!");
  const pem = "-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----";
  assert.equal(redactText(`key ${pem} end`), "key *** end");
});

Deno.test("redact takes anything: cycles, depth, errors, odd numbers, hostile names", () => {
  const loop: Record<string, unknown> = { name: "loop", bytes: new Uint8Array(9), big: 10n, nan: NaN };
  loop.self = loop;
  assert.deepEqual(redact(loop), { name: "loop", bytes: "(9 bytes)", big: "10", nan: "NaN", self: "…" });
  const error = Object.assign(new TypeError("bad", { cause: new Error("with Bearer abcdefghijkl") }), { code: "EX" });
  assert.deepEqual(redact(error), {
    name: "TypeError",
    message: "bad",
    code: "EX",
    cause: { name: "Error", message: "with Bearer ***" },
  });
  const odd = redact(JSON.parse('{"__proto__": {"admin": true}}')) as Record<string, unknown>;
  assert.equal(odd.admin, undefined);
  assert.deepEqual(Object.keys(odd), ["__proto__"]);
});

Deno.test("redact never fails, always gives JSON, and never lets a password through", () => {
  fc.assert(
    fc.property(fc.anything({ withMap: true, withDate: true, withBigInt: true, withTypedArray: true }), (value) => {
      const text = JSON.stringify(
        redact({ value, password: "hunter2-hunter2", deep: { apiKey: ["hunter2-hunter2"] } }),
      );
      assert.equal(text.includes("hunter2-hunter2"), false);
    }),
  );
});

Deno.test("errorFields joins the causes, keeps codes and hides secrets", () => {
  const inner = Object.assign(new Error("refused by postgres://a:pw@h/"), { code: "ECONNREFUSED" });
  const { stack, ...fields } = errorFields(
    Object.assign(new RangeError("Cannot start", { cause: inner }), { code: 7 }),
  );
  assert.ok(stack?.includes("RangeError"));
  assert.deepEqual(fields, {
    error: "Cannot start: refused by postgres://a:***@h/",
    error_name: "RangeError",
    error_code: 7,
  });
  assert.deepEqual(errorFields("text"), { error: "text" });
});
