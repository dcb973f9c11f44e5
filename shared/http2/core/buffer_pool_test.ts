import assert from "node:assert/strict";
import { BufferPool } from "./buffer_pool.ts";

Deno.test("a buffer is as large as asked for, is used again, and few are kept", () => {
  const pool = new BufferPool(100_000);
  for (const bytes of [1, 8_192, 8_193, 32_768, 100_000, 100_001]) assert.ok(pool.take(bytes).length >= bytes);
  const buffer = pool.take(10_000);
  pool.give(buffer);
  assert.equal(pool.take(9_000), buffer);
  const many = Array.from({ length: 1_000 }, () => pool.take(100_000));
  for (const one of many) pool.give(one);
  const kept = new Set(many);
  let again = 0;
  while (kept.has(pool.take(100_000))) again++;
  assert.ok(again > 0 && again < 100, `${again} kept`);
});
