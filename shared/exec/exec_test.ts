import assert from "node:assert/strict";
import { parseSince, splitWords } from "./mod.ts";

Deno.test("words are divided as by a POSIX shell, and nothing else is done with them", () => {
  const cases: readonly (readonly [string, readonly string[] | string])[] = [
    ["ls -l /tmp", ["ls", "-l", "/tmp"]],
    ["  a\t b\n", ["a", "b"]],
    ["", []],
    [`'a b' "c d"e`, ["a b", "c de"]],
    [`'' ""`, ["", ""]],
    [`a\\ b`, ["a b"]],
    [`"\\"\\\\ \\n $HOME"`, [`"\\ \\n $HOME`]],
    [`'\\'`, ["\\"]],
    ["a && b > c; d | e", ["a", "&&", "b", ">", "c;", "d", "|", "e"]],
    ["a\\\nb", ["ab"]],
    [`"open`, "a quote is not closed"],
    [`it's`, "a quote is not closed"],
    ["a\\", "a backslash ends it"],
  ];
  for (const [text, words] of cases) assert.deepEqual(splitWords(text), words, text);
});

Deno.test("since is a moment, or a duration before now", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  assert.equal(parseSince("10m", now), now - 600_000);
  assert.equal(parseSince("2026-01-02T03:04:05.250Z", 0), now + 250);
  assert.equal(parseSince("2026-01-02T04:04:05+01:00", 0), now);
  for (const text of ["", "-5m", "yesterday", "2026-01-02"]) assert.equal(parseSince(text, now), undefined, text);
});
