import assert from "node:assert/strict";
import { systemRandom } from "../../../../shared/runtime/mod.ts";
import { KeyedQueue } from "./keyed_queue.ts";
import { checkPassword, hashPassword, requirePasswordLength } from "./password.ts";
import { crackTimeSeconds, requireStrength, spanText } from "./strength.ts";

const random = systemRandom();

Deno.test("a hashed password is recognized and no other", async () => {
  const hash = await hashPassword("correct horse", (length) => random.bytes(length), 1000);
  assert.equal(await checkPassword("correct horse", hash), true);
  assert.equal(await checkPassword("correct horsf", hash), false);
  assert.equal(await checkPassword("", hash), false);
  const again = await hashPassword("correct horse", (length) => random.bytes(length), 1000);
  assert.notEqual(hash.hash, again.hash);
});

Deno.test("checkPassword() takes rows of the original: 8 bytes of salt, 10 000 rounds", async () => {
  // Made with Python: hashlib.pbkdf2_hmac("sha256", b"mexadmin123", b"saltsalt", 10000, 32)
  const hash = "+9q84+jQtQB4s7uKzbUzqQFq6+KcvZxujJsuMyF+Xns=";
  assert.equal(await checkPassword("mexadmin123", { hash, salt: btoa("saltsalt"), iterations: 10_000 }), true);
});

Deno.test("requirePasswordLength() takes 8 to 4095 characters", () => {
  assert.throws(() => requirePasswordLength("1234567"), { message: /at least 8 characters/ });
  assert.throws(() => requirePasswordLength("x".repeat(4096)), { message: /at most 4095 characters/ });
  requirePasswordLength("12345678");
  requirePasswordLength("x".repeat(4095));
});

Deno.test("crackTimeSeconds() agrees with the specification's reference values", async () => {
  const [MINUTE, MONTH, YEAR] = [60, 30 * 24 * 3600, 365 * 24 * 3600];
  // Lower and upper bound around each value of mc spec 3.1: a factor of two either way.
  const cases: [string, number, number][] = [
    ["mexadmin123", 8, 32],
    ["oldpwd1", 2.5, 10],
    ["somerandompassword", 1.5 * MINUTE, 6 * MINUTE],
    ["yzdF8!aw", 1.5 * MINUTE, 6 * MINUTE],
    ["misterx-password-supe", 3 * MONTH, 12 * MONTH],
    ["1orangefoxquickhandlebrush1", 100 * YEAR, Infinity],
  ];
  for (const [password, least, most] of cases) {
    const seconds = await crackTimeSeconds(password);
    assert.ok(seconds >= least && seconds <= most, `${password}: ${seconds} s`);
  }
});

Deno.test("crackTimeSeconds() takes the longest password without trouble", async () => {
  assert.ok(await crackTimeSeconds(random.bytes(3000).toBase64()) > 1e20);
  assert.ok(await crackTimeSeconds("a".repeat(4095)) < 1);
});

Deno.test("requireStrength() names what is required and what is given", () => {
  requireStrength(100, 100);
  assert.throws(() => requireStrength(90, 2 * 365 * 24 * 3600), {
    message: /^Password too weak, requires crack time 2 years but is 1 minute/,
  });
});

Deno.test("spanText() uses the largest unit and does not overstate", () => {
  const cases: [number, string][] = [
    [0.4, "less than 1 second"],
    [1, "1 second"],
    [119, "1 minute"],
    [
      2592000,
      "1 month",
    ],
    [63072000, "2 years"],
    [1e12, "centuries"],
  ];
  for (const [seconds, text] of cases) assert.equal(spanText(seconds), text);
});

Deno.test("KeyedQueue runs the work of a key in order, that of others beside it, and has a bound", async () => {
  const queue = new KeyedQueue(2);
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("a", async () => {
    await gate.promise;
    order.push("a1");
    throw new Error("fails");
  });
  const second = queue.run("a", () => Promise.resolve(order.push("a2")));
  assert.equal(queue.run("a", () => Promise.resolve()), undefined);
  await queue.run("b", () => Promise.resolve(order.push("b1")));
  gate.resolve();
  await assert.rejects(first!, /fails/);
  await second;
  assert.deepEqual(order, ["b1", "a1", "a2"]);
  assert.notEqual(queue.run("a", () => Promise.resolve()), undefined);
});
