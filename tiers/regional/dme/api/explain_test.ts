import assert from "node:assert/strict";
import fc from "fast-check";
import { dme, MatchQuery, MatchVerdict } from "../../../../shared/schema/mod.ts";
import { cloudletKey } from "../matching/fixture.ts";
import { appId } from "../matching/mod.ts";
import { appInst, goldenRegion, testRegion } from "../testing/region.ts";
import { refusal } from "../testing/clients.ts";
import { explainMatch } from "./explain.ts";

const { WINS, SHARES, LOSES, EXCLUDED } = MatchVerdict;
const DELTA = { organization: "delta", name: "delta", version: "1.7" };

function explain(carrier: string, latitude: number, longitude: number, region = testRegion()) {
  const query = MatchQuery.create({ appKey: DELTA, carrier, latitude, longitude });
  return explainMatch(region.desk, query)
    .map(({ verdict, rank, cloudlet, carrier, padKm, reason }) => [verdict, rank, cloudlet, carrier, padKm, reason]);
}

Deno.test("every instance is told of with the reason why it wins or loses", () => {
  const region = testRegion();
  region.tables.setCloudletInfo({ key: cloudletKey("southtel", "south-1"), state: 3 });
  const [organization, name, version] = ["delta", "delta", "1.7"];
  region.tables.setInstance({
    ...appInst([organization, name, version], "southtel", "south-2", "", [-50.1102, -100.2202]),
    healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL,
  });
  region.tables.setInstance({
    ...appInst([organization, name, version], "northtel", "north-1", "", [50.7374, 7.0982]),
    state: 3,
  });
  assert.deepEqual(explain("", 48.31, 11.66, region), [
    [WINS, 1, "north-3", "northtel", 0, "the nearest"],
    [LOSES, 2, "north-2", "northtel", 0, reasonOf("north-2", region)],
    [LOSES, 3, "west-1", "westtel", 0, reasonOf("west-1", region)],
    [EXCLUDED, 0, "north-1", "northtel", 0, "the instance is Creating"],
    [EXCLUDED, 0, "south-1", "southtel", 0, "the cloudlet is Offline"],
    [EXCLUDED, 0, "south-2", "southtel", 0, "its health is ServerFail"],
  ]);
  // An ally's subscribers may use north-2, which is then matched as theirs.
  assert.deepEqual(explain("westtel", 52.7, 13.4, region).slice(0, 3).map((row) => row.slice(0, 4)), [
    [WINS, 1, "north-2", "westtel"],
    [LOSES, 2, "west-1", "westtel"],
    [EXCLUDED, 0, "north-1", ""],
  ]);
  assert.equal(explain("westtel", 52.7, 13.4, region)[2]![5], "not for carrier westtel");
});

function reasonOf(cloudlet: string, region: ReturnType<typeof testRegion>): string {
  const query = MatchQuery.create({ appKey: DELTA, latitude: 48.31, longitude: 11.66 });
  const all = explainMatch(region.desk, query);
  const { distanceKm } = all.find((each) => each.cloudlet === cloudlet)!;
  return `${(distanceKm - all[0]!.distanceKm).toFixed(3)} km behind`;
}

Deno.test("instances that are as near share the load where that is on", () => {
  const near = (random?: () => number) =>
    explain("", -50, -100, testRegion(goldenRegion(), random)).slice(0, 2).map((row) => row.slice(0, 3));
  assert.deepEqual(near(Math.random), [[SHARES, 1, "south-1"], [SHARES, 2, "south-2"]]);
  assert.deepEqual(near(), [[WINS, 1, "south-1"], [LOSES, 2, "south-2"]]);
});

Deno.test("an unknown app and a place out of range are refused, the number of instances is bounded", () => {
  const { desk } = testRegion();
  const query = (more: object) => () => explainMatch(desk, MatchQuery.create({ appKey: DELTA, ...more }));
  assert.throws(query({ appKey: { ...DELTA, version: "2" } }), refusal("INVALID_ARGUMENT", /App not found/));
  assert.throws(query({ latitude: 91 }), refusal("INVALID_ARGUMENT", /latitude/));
  assert.throws(query({ longitude: NaN }), refusal("INVALID_ARGUMENT", /longitude/));
  assert.equal(query({ limit: 2 })().length, 2);
});

Deno.test("the winner is what a device gets", () => {
  const clouds = ["azure", "gcp", "aws", "northtel", "westtel"];
  fc.assert(fc.property(
    fc.array(
      fc.record({
        carrier: fc.constantFrom(...clouds),
        latitude: fc.integer({ min: -3, max: 3 }),
        longitude: fc.integer({ min: -3, max: 3 }),
        state: fc.constantFrom(5, 5, 5, 3),
        allies: fc.subarray(clouds),
      }),
      { maxLength: 12 },
    ),
    fc.constantFrom("", ...clouds, "none"),
    fc.double({ min: -4, max: 4, noNaN: true }),
    (sites, carrier, latitude) => {
      const region = testRegion();
      const { tables, desk } = region;
      const key = { organization: "acme", name: "fresh", version: "1" };
      tables.setApp({ ...[...tables.apps()][0]!, key });
      sites.forEach((site, index) => {
        const at = { latitude: site.latitude, longitude: site.longitude };
        const cloudlet = cloudletKey(site.carrier, `site-${index}`);
        tables.setCloudlet({ key: cloudlet, location: at, maintenanceState: 0, allianceOrgs: site.allies });
        tables.setCloudletInfo({ key: cloudlet, state: 2 });
        const instance = appInst(["acme", "fresh", "1"], site.carrier, `site-${index}`, `${index}`, [
          at.latitude,
          at.longitude,
        ]);
        tables.setInstance({ ...instance, state: site.state as 5 });
      });
      const candidates = tables.app(appId("acme", "fresh", "1"))!.candidates;
      const found = desk.matcher.find(candidates, { carrier, latitude, longitude: 0.5 });
      const [first] = explainMatch(desk, MatchQuery.create({ appKey: key, carrier, latitude, longitude: 0.5 }));
      if (found === undefined) return assert.ok(first === undefined || first.verdict === EXCLUDED);
      assert.deepEqual([first!.verdict, first!.uri], [WINS, found.member.instance.uri]);
      assert.equal(first!.carrier, found.carrier);
      assert.ok(Math.abs(first!.distanceKm + first!.padKm - found.distanceKm) < 0.001);
    },
  ));
});
