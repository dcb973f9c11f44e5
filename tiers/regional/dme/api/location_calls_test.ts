import assert from "node:assert/strict";
import { dme } from "../../../../shared/schema/mod.ts";
import { verifyLocation } from "./location_calls.ts";

Deno.test("VerifyLocation names the smallest accuracy above the distance, golden cases 28 to 31", () => {
  const truth = { latitude: 52.52, longitude: 13.405 };
  const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
  const cases: [number, number, number][] = [
    [52.53, LOC_VERIFIED, 2],
    [52.54, LOC_VERIFIED, 10],
    [52.61, LOC_VERIFIED, 100],
    [53.42, LOC_MISMATCH_SAME_COUNTRY, -1],
  ];
  for (const [latitude, status, accuracy] of cases) {
    const request = dme.VerifyLocationRequest.create({ gpsLocation: { latitude, longitude: 13.405 } });
    const reply = verifyLocation(request, truth);
    assert.deepEqual([reply.gpsLocationStatus, reply.gpsLocationAccuracyKm], [status, accuracy]);
  }
});
