import assert from "node:assert/strict";
import { parsePlace, parseRoute, PlaceError } from "./places.ts";
import { connectHost } from "./host.ts";

Deno.test("places and routes are read, and refused with an example", () => {
  assert.deepEqual(parsePlace("52.52,13.405"), { latitude: 52.52, longitude: 13.405 });
  assert.deepEqual(parsePlace(" -33.8 , 151.2 "), { latitude: -33.8, longitude: 151.2 });
  for (const text of ["", "52", "52,", ",13", "91,0", "0,-181", "a,b", "1,2,3", "NaN,0", "1e9,0"]) {
    assert.throws(
      () => parsePlace(text),
      (error) => error instanceof PlaceError && /52\.52,13\.405/.test(error.message),
      text,
    );
  }
  const route = [{ latitude: 1, longitude: 2 }, { latitude: -3, longitude: 4 }];
  assert.deepEqual(parseRoute("1,2 -3,4"), route);
  assert.deepEqual(parseRoute("# home\n1, 2\n\n-3,4 # work\n"), route);
  assert.deepEqual(parseRoute("1,2;-3,4"), route);
  assert.throws(() => parseRoute("# nothing\n"), PlaceError);
});

Deno.test("names under localhost are this machine, others are left alone", () => {
  assert.equal(connectHost("echo.berlin.archipelago.localhost"), "127.0.0.1");
  assert.equal(connectHost("LOCALHOST."), "127.0.0.1");
  assert.equal(connectHost("localhost.example"), "localhost.example");
  assert.equal(connectHost("192.0.2.1"), "192.0.2.1");
});
