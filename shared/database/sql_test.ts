import assert from "node:assert/strict";
import fc from "fast-check";
import { identifier, joinSql, renderSql, sql, type SqlFragment } from "./sql.ts";

Deno.test("sql keeps values out of the text, also through nesting", () => {
  const inner = sql`name = ${"x'; drop table users; --"}`;
  const whole = sql`select * from ${identifier("users")} where ${joinSql([inner, sql`id > ${7}`], " and ")} limit ${1}`;
  assert.deepEqual(renderSql(whole), {
    text: 'select * from "users" where name = $1 and id > $2 limit $3',
    values: ["x'; drop table users; --", 7, 1],
  });
});

Deno.test("joinSql() of nothing is empty text", () => {
  assert.deepEqual(renderSql(joinSql([], ",")), { text: "", values: [] });
});

Deno.test("identifier() doubles quotes and refuses what PostgreSQL would change or misread", () => {
  assert.equal(renderSql(identifier('a"b')).text, '"a""b"');
  for (const name of ["", "a\0b", "x".repeat(64), "ü".repeat(32)]) assert.throws(() => identifier(name), RangeError);
  assert.equal(renderSql(identifier("x".repeat(63))).text.length, 65);
});

Deno.test("renderSql() numbers every value once and in order, whatever the nesting", () => {
  const piece = fc.letrec<{ tree: SqlFragment; leaf: SqlFragment }>((tie) => ({
    leaf: fc.integer().map((value) => sql`(${value})`),
    tree: fc.oneof(
      { maxDepth: 5 },
      tie("leaf"),
      fc.array(tie("tree"), { maxLength: 4 }).map((parts) => joinSql(parts, ",")),
      fc.tuple(tie("tree"), fc.string(), tie("tree")).map(([a, value, b]) => sql`a ${a} b ${value} c ${b}`),
    ),
  })).tree;
  fc.assert(fc.property(piece, (fragment) => {
    const { text, values } = renderSql(fragment);
    const numbers = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
    assert.deepEqual(numbers, values.map((_, index) => index + 1));
  }));
});
