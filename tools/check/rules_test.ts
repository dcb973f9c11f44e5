import assert from "node:assert/strict";
import { checkFile, importsOf } from "./rules.ts";
import { blankSource } from "./source_text.ts";

function rules(path: string, text: string): string[] {
  return checkFile({ path, text }).map((fault) => `${fault.line}: ${fault.rule}`);
}

const ALLOWED: [string, string][] = [
  ["shared/store/a.ts", `import { b } from "./b.ts";`],
  ["shared/store/drivers/a.ts", `import { b } from "../b.ts";`],
  ["shared/store/a.ts", `import { b } from "../schema/mod.ts";`],
  ["shared/rpc/a.ts", `import { b } from "../http2/mod.ts";\nimport grpc from "@grpc/grpc-js";`],
  ["tiers/regional/dme/a.ts", `import { b } from "../../../shared/rpc/mod.ts";`],
  ["tiers/regional/dme/a.ts", `import { connect } from "node:tls";`],
  ["plugins/docker/a.ts", `export { b } from "../../shared/platform/mod.ts";`],
  ["tools/up/a.ts", `import { b } from "../../tiers/regional/dme/c.ts";\nDeno.exit(1);`],
  ["tests/e2e/a_test.ts", `import { b } from "../../shared/store/internal.ts";`],
  ["tiers/cloudlet/crm/a.ts", `const load = () => import("../../../plugins/docker/mod.ts");`],
  ["tiers/regional/dme/a.ts", `const load = () => import("../../../plugins/operator_acme/mod.ts");`],
  ["tiers/regional/dme/a.ts", `// deno-lint-ignore no-explicit-any -- kinds of all types\nconst a: any = 1;`],
  ["tiers/regional/dme/main.ts", `Deno.exit(await main(Deno.args));`],
  ["tiers/regional/dme/a.ts", `// Deno.exit\nconst text = "Deno.exit", more = \`Deno.args \${text}\`, r = /Deno./;`],
  ["sdk/device/edge/a.ts", `import { b } from "../b.ts";`],
  [
    "sdk/device/a_test.ts",
    `import assert from "node:assert/strict";\nimport { b } from "../../tiers/regional/dme/b.ts";`,
  ],
  ["shared/store/a_test.ts", `const source = 'import { x } from "npm:x"';`],
  ["shared/store/a_test.ts", `import { x } from "../schema/testing/mod.ts";\nexport const y = Deno.args;`],
];

for (const [path, text] of ALLOWED) {
  Deno.test(`rules allow, in ${path}: ${text.split("\n")[0]}`, () => assert.deepEqual(rules(path, text), []));
}

const REFUSED: [string, string, RegExp][] = [
  [
    "shared/store/a.ts",
    `import { b } from "../schema/json/mod.ts";`,
    /1: .*public face of shared\/schema is its mod\.ts/,
  ],
  [
    "shared/store/a.ts",
    `\nimport {\n  b,\n} from "../../tiers/regional/dme/mod.ts";`,
    /4: .*shared may import shared only/,
  ],
  ["shared/http2/a.ts", `import "../rpc/mod.ts";`, /shared\/http2 may import nothing of shared/],
  ["shared/rpc/a.ts", `import type { b } from "../schema/mod.ts";`, /shared\/rpc may import http2 of shared/],
  ["tiers/regional/dme/a.ts", `import { b } from "../controller/b.ts";`, /tiers may import shared only/],
  ["tiers/global/console/a.ts", `const b = await import("../../regional/dme/b.ts");`, /tiers may import shared only/],
  ["tiers/cloudlet/crm/a.ts", `const b = import("../../../plugins/docker/client.ts");`, /tiers may import shared only/],
  ["tiers/regional/dme/a.ts", `const b = import("../../../plugins/docker/mod.ts");`, /tiers may import shared only/],
  [
    "tiers/cloudlet/crm/a.ts",
    `const b = import("../../../plugins/operator_x/mod.ts");`,
    /tiers may import shared only/,
  ],
  ["tiers/cloudlet/crm/a.ts", `import b from "../../../plugins/docker/mod.ts";`, /tiers may import shared only/],
  ["plugins/docker/a.ts", `import b from "../process/mod.ts";`, /plugins may import shared only/],
  ["tiers/regional/dme/a.ts", `import grpc from "@grpc/grpc-js";`, /only shared\/rpc\/ may know/],
  ["sdk/device/a.ts", `import { b } from "../../shared/schema/mod.ts";`, /sdk\/device may import nothing outside it/],
  ["sdk/device/a.ts", `import { connect } from "node:net";`, /sdk has no dependencies/],
  ["sdk/device/a.ts", `import { jwtVerify } from "jose";`, /sdk has no dependencies/],
  ["sdk/device/a.ts", `const version = Deno.version;`, /Deno\.\* belongs/],
  ["tiers/regional/dme/a.ts", `import { b } from "../../../sdk/device/mod.ts";`, /tiers may import shared only/],
  ["shared/store/a.ts", `import fc from "npm:fast-check@4";`, /by their name in deno\.json/],
  ["shared/store/a.ts", `import a from "jsr:/@std/assert";`, /by their name in deno\.json/],
  ["shared/store/a.ts", `const x = 4 / Deno.args.length / 2;`, /1: Deno\.\* belongs/],
  ["shared/store/a.ts", "const x = `${Deno.args}`;", /1: Deno\.\* belongs/],
  ["shared/store/a.ts", `/** Doc. */\nexport const a = 1;\n\nexport const b = 2;`, /4: export b has no JSDoc/],
  ["shared/store/a.ts", `export async function run() {}`, /1: export run has no JSDoc/],
  [
    "shared/store/a.ts",
    `// deno-lint-ignore no-explicit-any\nconst a: any = 1;`,
    /1: any is for files at the boundary/,
  ],
];

for (const [path, text, message] of REFUSED) {
  Deno.test(`rules refuse, in ${path}: ${text.trim().split("\n")[0]}`, () => {
    const found = rules(path, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, message);
  });
}

Deno.test("rules: constants that belong together are explained once, until a blank line", () => {
  const text = `/** Doc. */\nexport const a = 1;\nexport const b = 2;\nexport const c = 3;\n\nexport const d = 4;\n`;
  assert.deepEqual(rules("shared/store/a.ts", text), ["6: export d has no JSDoc"]);
});

Deno.test("rules: overloads and a value with the name of a type are explained once", () => {
  const text =
    `/** Doc. */\nexport function f(a: string): void;\nexport function f(a: number): void;\nexport function f() {}\n`;
  assert.deepEqual(rules("shared/store/a.ts", text), []);
});

Deno.test("importsOf finds re-exports, bare imports and imports over several lines", () => {
  const code = `export * from "a";\nimport "b";\nimport {\n  c,\n} from 'c';\nconst d = import("d");\n`;
  assert.deepEqual(importsOf(blankSource(code)).map((found) => found.specifier), ["a", "b", "c", "d"]);
});

Deno.test("blankSource keeps lines and blanks what is no code", () => {
  const text = `a /* x\n y */ + "s\\"t" / 2; // z\nconst r = /["'/]/g, t = \`q\${ "in" + b }w\`; c = d / e / f;\n`;
  const { code, bare } = blankSource(text);
  assert.equal(code.split("\n").length, text.split("\n").length);
  assert.equal(bare.length, text.length);
  assert.doesNotMatch(code, /x|y|z/);
  assert.doesNotMatch(bare, /s\\|q|w|in/);
  assert.match(bare, /\+ b/);
  assert.match(bare, /c = d \/ e \/ f;/);
});
