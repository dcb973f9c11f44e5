import assert from "node:assert/strict";
import fc from "fast-check";
import { loadEstimator } from "./guesses.ts";
import { WordRanks } from "./word_ranks.ts";

/** The package as it comes, in a process of its own: here its lists are gone. */
const ORIGINAL = `
  const { default: zxcvbn } = await import("zxcvbn");
  const passwords = JSON.parse(await new Response(Deno.stdin.readable).text());
  console.log(JSON.stringify(passwords.map((password) => zxcvbn(password).guesses)));
`;

async function originalGuesses(passwords: readonly string[]): Promise<number[]> {
  const root = new URL("../../../../", import.meta.url);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", ORIGINAL],
    ...{ cwd: root, stdin: "piped", stdout: "piped", stderr: "inherit" },
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(passwords)));
  await writer.close();
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("the estimates are those of the package with its own dictionaries", async () => {
  const words = [
    "password",
    "Dragon",
    "monkey",
    "superman",
    "smith",
    "mary",
    "the",
    "naruto",
    "edmundo",
    "qwerty",
    "zxcvbn",
  ];
  const piece = fc.oneof(
    fc.constantFrom(...words),
    fc.constantFrom(
      "p4ssw0rd",
      "drowssap",
      "dr@g0n",
      "1984",
      "12/03/1999",
      "aaaa",
      "abcabc",
      "13579",
      "yeknom",
      "Pa$$word",
    ),
    fc.string({ maxLength: 6 }),
  );
  const password = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("").slice(0, 72))
    .filter((text) => text !== "");
  const passwords = [
    ...fc.sample(password, 400),
    ...words,
    "mexadmin123",
    "correcthorsebatterystaple",
    "constructor",
    "__proto__",
  ];
  const estimate = await loadEstimator();
  const expected = await originalGuesses(passwords);
  // Names that every JavaScript object has are words to the package, by an oversight; they are not to us.
  const oversight = /constructor|__proto__|toString|valueOf|hasOwnProperty/i;
  passwords.forEach((text, index) => {
    if (!oversight.test(text)) assert.equal(estimate(text), expected[index], JSON.stringify(text));
    else assert.ok(Number.isFinite(estimate(text)), text);
  });
});

Deno.test("WordRanks finds every word at every place, with its best rank", () => {
  const ranks = new WordRanks();
  ranks.add(["the", "cat", "catalog"]);
  ranks.add(["log", "cat", "the"]);
  assert.deepEqual(ranks.find("thecatalog"), [
    { start: 0, end: 2, rank: 1 },
    { start: 3, end: 5, rank: 2 },
    { start: 3, end: 9, rank: 3 },
    { start: 7, end: 9, rank: 1 },
  ]);
  assert.deepEqual(ranks.find(""), []);
});

Deno.test("WordRanks agrees with a plain search", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.uniqueArray(word, { maxLength: 30 }),
      fc.string({ unit: fc.constantFrom("a", "b", "c") }),
      (words, text) => {
        const ranks = new WordRanks();
        ranks.add(words);
        const found = ranks.find(text).map(({ start, end, rank }) => `${start}-${end}:${rank}`).sort();
        const expected: string[] = [];
        for (let start = 0; start < text.length; start++) {
          for (let end = start; end < text.length; end++) {
            const index = words.indexOf(text.slice(start, end + 1));
            if (index >= 0) expected.push(`${start}-${end}:${index + 1}`);
          }
        }
        assert.deepEqual(found, expected.sort());
      },
    ),
    { numRuns: 200 },
  );
});
