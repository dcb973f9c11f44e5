import assert from "node:assert/strict";
import { dme } from "../../shared/schema/mod.ts";
import { openStandalone } from "./mod.ts";

Deno.test("VerifyLocation names the smallest accuracy above the distance, golden cases 28 to 31", async () => {
  const truth = { latitude: 52.52, longitude: 13.405 };
  const operator = openStandalone({ randomBytes: (count) => new Uint8Array(count) }, truth);
  const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
  const cases: [number, number, number][] = [
    [52.53, LOC_VERIFIED, 2],
    [52.54, LOC_VERIFIED, 10],
    [52.61, LOC_VERIFIED, 100],
    [53.42, LOC_MISMATCH_SAME_COUNTRY, -1],
  ];
  for (const [latitude, status, accuracy] of cases) {
    const request = dme.VerifyLocationRequest.create({ gpsLocation: { latitude, longitude: 13.405 } });
    const reply = await operator.verifyLocation(request);
    assert.deepEqual([reply.gpsLocationStatus, reply.gpsLocationAccuracyKm], [status, accuracy]);
  }
});
