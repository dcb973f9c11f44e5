import assert from "node:assert/strict";
import fc from "fast-check";
import { crc32, deflateRawSync } from "node:zlib";
import { readComposeArchive } from "./mod.ts";

/** A zip archive of texts, packed or not. */
function zip(files: Record<string, string>, packs = true): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const plain = encoder.encode(text);
    const data = packs ? new Uint8Array(deflateRawSync(plain)) : plain;
    const label = encoder.encode(name);
    const facts = new DataView(new ArrayBuffer(26));
    facts.setUint16(0, 20, true);
    facts.setUint16(4, packs ? 8 : 0, true);
    facts.setUint32(10, crc32(plain), true);
    facts.setUint32(14, data.length, true);
    facts.setUint32(18, plain.length, true);
    facts.setUint16(22, label.length, true);
    const head = new Uint8Array(facts.buffer);
    const local = concat([Uint8Array.of(0x50, 0x4b, 3, 4), head, label, data]);
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(10, offset, true);
    directory.push(concat([Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0), head, new Uint8Array(tail.buffer), label]));
    parts.push(local);
    offset += local.length;
  }
  const entries = concat(directory);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, directory.length, true);
  end.setUint16(10, directory.length, true);
  end.setUint32(12, entries.length, true);
  end.setUint32(16, offset, true);
  return concat([...parts, entries, new Uint8Array(end.buffer)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const LIST = "dockercomposefiles:\n- a.yml\n- dir/b.yml\n";

Deno.test("an archive of compose files holds a list and what it names", async () => {
  const whole = { "manifest.yml": LIST, "a.yml": "services: {}", "dir/b.yml": "x: &a 1\ny: *a" };
  assert.equal(await readComposeArchive(zip(whole)), undefined);
  assert.equal(await readComposeArchive(zip(whole, false)), undefined);
  const faulty: [Record<string, string>, RegExp][] = [
    [{ "a.yml": "" }, /must hold the file manifest\.yml/],
    [{ "manifest.yml": LIST, "a.yml": "" }, /names dir\/b\.yml, which the archive does not hold/],
    [{ "manifest.yml": "files: []" }, /must name 1 to 50 compose files/],
    [{ "manifest.yml": "a: [" }, /manifest\.yml is not valid YAML/],
    [{ ...whole, "a.yml": "a: [" }, /a\.yml is not valid YAML/],
    [{ ...whole, "a.yml": "#".repeat(300_000) }, /a\.yml is longer than/],
  ];
  for (const [files, rule] of faulty) assert.match((await readComposeArchive(zip(files)))!, rule);
});

Deno.test("what is no archive, or a broken one, is told", async () => {
  const sound = zip({ "manifest.yml": LIST, "a.yml": "services: {}", "dir/b.yml": "{}" });
  await fc.assert(fc.asyncProperty(fc.nat(sound.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
    const bytes = Uint8Array.from(cut ? sound.subarray(0, at) : sound);
    if (!cut) bytes[at] = byte;
    const rule = await readComposeArchive(bytes);
    assert.ok(rule === undefined || rule.length > 0);
    if (cut) assert.match(rule!, /must be an archive of compose files/);
  }));
});
