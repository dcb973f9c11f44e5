import assert from "node:assert/strict";
import fc from "fast-check";
import { dme, fromJson, JsonError } from "../../../../shared/schema/mod.ts";
import { readFindRequest } from "./find_request.ts";

/** What the message's description makes of it; undefined: it is refused. */
function plain(json: unknown): dme.FindCloudletRequest | undefined {
  try {
    return fromJson(dme.FindCloudletRequest, json, "dme");
  } catch (error) {
    assert.ok(error instanceof JsonError);
    return undefined;
  }
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", "7", "NaN", [], {}, -1, 1.5, 2 ** 32, -0, 1e300, { a: "b" }, {
    __proto__: 1,
  }),
  fc.double(),
  fc.string(),
);
const place = fc.dictionary(
  fc.constantFrom(
    ...["latitude", "longitude", "altitude", "course", "speed", "horizontal_accuracy", "vertical_accuracy"],
    ...["timestamp", "horizontalAccuracy", "unknown", "__proto__"],
  ),
  fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) }, odd),
);
const names = fc.constantFrom("ver", "session_cookie", "carrier_name", "gps_location", "tags", "sessionCookie", "x");
const requests = fc.uniqueArray(fc.tuple(names, fc.oneof(fc.nat(), fc.string(), place, odd)), {
  selector: ([name]) => name,
}).map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))));

Deno.test("what is read member by member is what the message's description makes of it", () => {
  let read = 0;
  const same = (json: unknown) => {
    const request = readFindRequest(json);
    if (request === undefined) return;
    read++;
    assert.deepEqual(request, plain(json));
  };
  fc.assert(fc.property(requests, same), { numRuns: 3_000 });
  fc.assert(fc.property(odd, same));
  assert.ok(read > 300, `only ${read} were read at all`);
});

Deno.test("requests of known clients are read", () => {
  const gps_location = { latitude: 48.1, longitude: 11.5 };
  const request = { ver: 1, session_cookie: "a.b.c", carrier_name: "26201", gps_location, tags: {} };
  for (const json of [request, { ...request, gps_location: { ...gps_location, altitude: 500, speed: 0 } }, {}]) {
    assert.deepEqual(readFindRequest(json), plain(json));
    assert.ok(readFindRequest(json) !== undefined);
  }
});
