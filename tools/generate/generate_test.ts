import assert from "node:assert/strict";
import { emitFiles } from "./emit_file.ts";
import { SchemaError } from "./model.ts";
import { checkOptions, indexTypes } from "./options.ts";
import { parseSources, type Source } from "./parse.ts";

const OPTIONS: Source = {
  name: "archipelago/options.proto",
  folder: "archipelago",
  module: "options",
  text: Deno.readTextFileSync(new URL("../../shared/schema/proto/archipelago/options.proto", import.meta.url)),
};

const HEAD = `syntax = "proto3"; package archipelago; import "archipelago/options.proto";\n`;
const KEY = `message ThingKey { string name = 1; }\n`;

function generate(body: string, head = HEAD) {
  const files = parseSources([OPTIONS, {
    name: "archipelago/thing.proto",
    folder: "archipelago",
    module: "thing",
    text: head + body,
  }]);
  checkOptions(files, indexTypes(files));
  return emitFiles(files);
}

Deno.test("generate: the same sources give the same files", () => {
  const body = `${KEY}
    // A thing.
    message Thing {
      option (object) = { key: "key" order: 1 };
      // Its key.
      ThingKey key = 1 [(field) = { present: true }];
      map<string, ThingKey> others = 2;
      optional int32 count = 3;
      oneof body { string text = 4; bytes raw = 5; }
    }
    service ThingApi { rpc ShowThing(Thing) returns (stream Thing) { option (api) = { open: true cli: "thing show" }; } }`;
  assert.deepEqual(generate(body), generate(body));
  const text = generate(body).find((output) => output.path === "archipelago/thing.ts")!.text;
  assert.match(text, /\/\*\* A thing\. \*\/\nexport interface Thing \{/);
  assert.match(text, /key: ThingKey;/);
  assert.match(text, /others: Record<string, ThingKey>;/);
  assert.match(text, /count: number \| undefined;/);
  assert.match(text, /raw: Uint8Array \| undefined;/);
});

const FAULTS: [string, string, RegExp][] = [
  ["a type that does not exist", `message A { Missing b = 1; }`, /archipelago\.A\.b has the unknown type Missing/],
  ["a type defined twice", `message A {} enum A { X = 0; }`, /duplicate|twice/i],
  ["a number used twice", `message A { string a = 1; string b = 1; }`, /duplicate id 1/],
  ["a reserved number", `message A { reserved 4 to 6; string a = 5; }`, /number 5 is reserved|id 5 is reserved/],
  ["two fields that become one property", `message A { string a_b = 1; string aB = 2; }`, /two fields become aB/],
  ["an enum that does not begin at 0", `enum E { X = 1; }`, /must be 0|first value/i],
  ["map keys that are not strings", `message A { map<int32, string> m = 1; }`, /only string keys/],
  [
    "an unknown option",
    `message A { string a = 1 [(field) = { colour: "red" }]; }`,
    /A\.a: FieldRules has no option colour/,
  ],
  [
    "an option of the wrong type",
    `message A { string a = 1 [(field) = { fixed: "yes" }]; }`,
    /option fixed is "yes", expected a truth value/,
  ],
  [
    "an enum option of no value",
    `message A { string a = 1 [(field) = { set_by: NOONE }]; }`,
    /"NOONE", which is no Writer/,
  ],
  [
    "a key that is no field",
    `${KEY} message A { option (object) = { key: "nokey" order: 1 }; }`,
    /key must name a message field/,
  ],
  [
    "a key of other fields than its message has",
    `${KEY} message A { option (object) = { key: "b" key_message: "ThingKey" order: 1 }; string b = 1; }`,
    /fields must be those of ThingKey/,
  ],
  [
    "a reference with a part that its target's key lacks",
    `${KEY} message A { option (object) = { key: "key" order: 1 }; ThingKey key = 1; }
     message B { option (object) = { key: "key" order: 2 needs: [{ kind: "A" at: "as" with: ["org=as"] }] };
       ThingKey key = 1; repeated string as = 2; }`,
    /path org ends at org/,
  ],
  [
    "a key that is no message",
    `message A { option (object) = { key: "a" order: 1 }; string a = 1; }`,
    /key must name a message field/,
  ],
  [
    "a reference to no object",
    `${KEY} message A { option (object) = { key: "key" order: 1 needs: [{ kind: "B" at: "key" }] }; ThingKey key = 1; }`,
    /needs B, which is no object/,
  ],
  [
    "a reference to an object that comes later",
    `${KEY} message A { option (object) = { key: "key" order: 1 needs: [{ kind: "B" at: "key" }] }; ThingKey key = 1; }
     message B { option (object) = { key: "key" order: 2 }; ThingKey key = 1; }`,
    /needs B, which must come earlier/,
  ],
  [
    "an organization path that leads nowhere",
    `${KEY} service S { rpc F(ThingKey) returns (ThingKey) { option (api) = { org: "key.organization" }; } }`,
    /path key\.organization ends at key/,
  ],
  [
    "a command that exists twice",
    `${KEY} service S { rpc F(ThingKey) returns (ThingKey) { option (api) = { cli: "a b" }; } rpc G(ThingKey) returns (ThingKey) { option (api) = { cli: "a b" }; } }`,
    /F is already the command "a b"/,
  ],
  ["text that is no schema", `message {`, /archipelago\/thing\.proto: /],
];

for (const [name, body, message] of FAULTS) {
  Deno.test(`generate refuses ${name}`, () => {
    assert.throws(() => generate(body), (error) => {
      assert.ok(error instanceof SchemaError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("generate refuses an import that does not exist, and proto2", () => {
  const missing = `syntax = "proto3"; package archipelago; import "archipelago/missing.proto";`;
  assert.throws(() => generate("", missing), /imports archipelago\/missing\.proto, which does not exist/);
  assert.throws(() => generate("", `syntax = "proto2"; package archipelago;`), /expected syntax = "proto3"/);
});
