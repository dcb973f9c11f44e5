import assert from "node:assert/strict";
import fc from "fast-check";
import protobuf from "protobufjs";
import { DecodeError, dme, equal, messages, NotifyFrame } from "./mod.ts";
import type { MessageType, Properties } from "./message_type.ts";
import { arbitraryMessage } from "./testing/arbitrary.ts";

const RUNS = 60;

/** The same schema under protobufjs, the reference. */
function loadReference(): protobuf.Root {
  const root = new protobuf.Root();
  const folder = new URL("proto/", import.meta.url);
  for (const sub of ["archipelago", "dme", "queryqos"]) {
    for (const entry of Deno.readDirSync(new URL(`${sub}/`, folder))) {
      const text = Deno.readTextFileSync(new URL(`${sub}/${entry.name}`, folder));
      // Options are not what is tested here, and descriptor.proto is not loaded for them.
      if (entry.name !== "options.proto") protobuf.parse(text, root);
    }
  }
  return root;
}

Deno.test("encode gives the golden bytes of the client API", () => {
  const register = dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha", appVers: "1.1" });
  assert.equal(dme.RegisterClientRequest.encode(register).toHex(), "120461636d651a05616c7068612203312e31");
  assert.equal(
    dme.RegisterClientRequest.encode(dme.RegisterClientRequest.create({ tags: { k: "v" } })).toHex(),
    "a206060a016b120176",
  );
  const event = dme.ClientEdgeEvent.create({
    eventType: dme.ClientEdgeEvent_ClientEventType.EVENT_TERMINATE_CONNECTION,
  });
  assert.equal(dme.ClientEdgeEvent.encode(event).toHex(), "1802");
});

for (const type of messages) {
  Deno.test(`${type.name}: decode undoes encode`, () => {
    fc.assert(
      fc.property(arbitraryMessage(type), (message) => {
        const decoded = type.decode(type.encode(message));
        assert.ok(equal(type, decoded, message));
        assert.deepEqual(decoded, message);
      }),
      { numRuns: RUNS },
    );
  });

  Deno.test(`${type.name}: the reference reads what encode wrote, and the other way round`, () => {
    const reference = loadReference().lookupType(type.name);
    fc.assert(
      fc.property(arbitraryMessage(type), (message) => {
        const bytes = type.encode(message);
        const theirs = reference.encode(reference.decode(bytes)).finish();
        assert.ok(equal(type, type.decode(theirs), message));
      }),
      { numRuns: RUNS },
    );
  });

  Deno.test(`${type.name}: decode of arbitrary bytes gives a message or a DecodeError`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let message: object;
        try {
          message = type.decode(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
          return;
        }
        assert.deepEqual(Object.keys(message), Object.keys(type.create()));
      }),
      { numRuns: RUNS },
    );
  });

  Deno.test(`${type.name}: a cut message is refused or shorter, never misread beyond its end`, () => {
    fc.assert(
      fc.property(arbitraryMessage(type), fc.nat(), (message, cut) => {
        const bytes = type.encode(message);
        const part = bytes.slice(0, bytes.length === 0 ? 0 : cut % bytes.length);
        try {
          type.decode(part);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
        }
      }),
      { numRuns: RUNS },
    );
  });
}

Deno.test("create fills every default and copies what it is given", () => {
  const tags = { a: "b" };
  const request = dme.FindCloudletRequest.create({ carrierName: "northtel", gpsLocation: { latitude: 1 }, tags });
  assert.deepEqual(Object.keys(request), ["ver", "sessionCookie", "carrierName", "gpsLocation", "tags"]);
  assert.equal(request.gpsLocation?.timestamp, undefined);
  assert.equal(request.gpsLocation?.longitude, 0);
  tags.a = "c";
  assert.equal(request.tags["a"], "b");
});

Deno.test("decode keeps the last member of a oneof", () => {
  const hello = NotifyFrame.encode(NotifyFrame.create({ hello: { service: "crm" } }));
  const refusal = NotifyFrame.encode(NotifyFrame.create({ refusal: { reason: "no" } }));
  const frame = NotifyFrame.decode(Uint8Array.of(...hello, ...refusal));
  assert.equal(frame.hello, undefined);
  assert.equal(frame.refusal?.reason, "no");
});

Deno.test("decode merges a message that comes in two parts", () => {
  const encode = (parts: Parameters<typeof dme.Loc.create>[0]) =>
    dme.FindCloudletRequest.encode(dme.FindCloudletRequest.create({ gpsLocation: parts }));
  const bytes = Uint8Array.of(...encode({ latitude: 1, timestamp: { seconds: 5 } }), ...encode({ longitude: 2 }));
  const location = dme.FindCloudletRequest.decode(bytes).gpsLocation!;
  assert.deepEqual([location.latitude, location.longitude, location.timestamp?.seconds], [1, 2, 5]);
});

Deno.test("decode skips unknown fields of every wire type, groups included", () => {
  // Fields 200 to 203 and a group 204 that holds a nested group, then org_name.
  const unknown = "c00c01" + "c90c0102030405060708" + "d20c0401020304" + "dd0c01020304" + "e30ce30ce40ce40c";
  const bytes = Uint8Array.fromHex(unknown + "120461636d65");
  assert.equal(dme.RegisterClientRequest.decode(bytes).orgName, "acme");
});

Deno.test("decode takes a field of another wire type for unknown, and unpacked for packed", () => {
  // org_name (2) as a varint.
  assert.equal(dme.RegisterClientRequest.decode(Uint8Array.fromHex("1001")).orgName, "");
});

for (
  const [name, hex] of [
    ["a number cut off", "08ff"],
    ["a number of eleven bytes", "08ffffffffffffffffffffff01"],
    ["a length beyond the end", "120561"],
    ["field number zero", "0001"],
    ["wire type seven", "0f"],
    ["a group without end", "e30c"],
    ["the end of another group", "e30cec0c"],
    ["text that is not UTF-8", "1202c328"],
    ["a sub-message that ends inside a field", "a20602120a"],
  ] as const
) {
  Deno.test(`decode refuses ${name}`, () => {
    assert.throws(() => dme.RegisterClientRequest.decode(Uint8Array.fromHex(hex)), DecodeError);
  });
}

Deno.test("text is refused or kept exactly, whatever its length", () => {
  const type = dme.RegisterClientRequest;
  for (const filler of ["", "x".repeat(30)]) {
    for (const text of ["\ufeffmark", "\ufffd is allowed", "é€😀", "\0"]) {
      const message = type.create({ orgName: filler + text });
      assert.equal(type.decode(type.encode(message)).orgName, filler + text);
    }
    const bad = Uint8Array.of(...new TextEncoder().encode(filler), 0xc3, 0x28);
    assert.throws(() => type.decode(Uint8Array.of(0x12, bad.length, ...bad)), DecodeError);
  }
});

Deno.test("64-bit integers beyond exactness keep to their nearest double, and to their range", () => {
  const strong = dme.DeviceInfoDynamic.decode(Uint8Array.fromHex("10baffffffffffffffff01")); // −70 as uint64
  assert.equal(strong.signalStrength, 2 ** 64);
  assert.equal(dme.DeviceInfoDynamic.encode(strong).toHex(), "10ffffffffffffffffff01");
  const least = dme.QosPosition.decode(Uint8Array.fromHex("0880808080808080808001"));
  assert.equal(least.positionid, -(2 ** 63));
  assert.equal(dme.QosPosition.encode(least).toHex(), "0880808080808080808001");
});

Deno.test("encode of a broken value leaves nothing behind for the next message", () => {
  const type = dme.RegisterClientRequest as MessageType<object>;
  const broken = { ...type.create(), orgName: "acme", tags: { k: 5 } } as Properties;
  assert.throws(() => type.encode(broken));
  assert.equal(type.encode(type.create()).length, 0);
});
