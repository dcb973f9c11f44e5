import assert from "node:assert/strict";
import { addSite, APPS, cloudlet, cloudletKey, goldenTables, instance, matcher, mulberry, siteOf } from "./fixture.ts";
import { appId } from "./objects.ts";
import type { Query } from "./matcher.ts";
import { rank } from "./rank.ts";
import { Search } from "./search.ts";
import { Tables } from "./tables.ts";

function idOf(name: string): string {
  return appId(...APPS.find((app) => app[1] === name)!);
}

function search(tables: Tables, app: string, query: Query, limit = 1, random?: () => number) {
  return matcher(random).list(tables.app(idOf(app))!.candidates, query, limit);
}

function assertFound(
  actual: { member: Parameters<typeof siteOf>[0]; distanceKm: number }[],
  expected: [string, number][],
  tolerance = 0.001,
) {
  assert.deepEqual(actual.map(({ member }) => siteOf(member)), expected.map(([name]) => name));
  for (const [index, [name, km]] of expected.entries()) {
    const difference = Math.abs(actual[index]!.distanceKm - km);
    assert.ok(difference <= tolerance, `${name}: ${actual[index]!.distanceKm} km, expected ${km}`);
  }
}

Deno.test("FindCloudlet, golden cases 1 to 5: carrier, any carrier, nobody", () => {
  const tables = goldenTables();
  assertFound(search(tables, "alpha", { carrier: "northtel", latitude: 50.65, longitude: 6.341 }, 2), [
    ["north-3", 471.065],
    ["north-2", 539.074],
  ]);
  assertFound(search(tables, "alpha", { carrier: "othertel", latitude: 52.65, longitude: 10.341 }), []);
  assertFound(search(tables, "alpha", { carrier: "northtel", latitude: 50.75, longitude: 7.905 }), [
    ["north-3", 393.880],
  ]);
  assertFound(search(tables, "delta", { carrier: "westtel", latitude: 47.75, longitude: 122.905 }), [
    ["west-1", 45.775],
  ]);
  assertFound(search(tables, "delta", { carrier: "", latitude: 48.31, longitude: 11.66 }), [["north-3", 20.288]]);
});

Deno.test("FindCloudlet, golden case 6: an ally's site is used under the subscriber's carrier until the alliance ends", () => {
  const tables = goldenTables();
  const query = { carrier: "westtel", latitude: 50.75, longitude: 11.905 };
  const found = search(tables, "charlie", query);
  assertFound(found, [["north-2", 243.916]]);
  assert.equal(found[0]!.carrier, "westtel");
  tables.setCloudlet({ ...cloudlet("northtel", "north-2", 52.7374, 13.4050), allianceOrgs: [] });
  assertFound(search(tables, "charlie", query), [["west-1", 7224.800]]);
});

Deno.test("FindCloudlet, golden case 7: sites within a kilometre share the load", () => {
  const tables = goldenTables();
  const random = mulberry(7);
  const counts = new Map<string, number>();
  const finder = matcher(random);
  const candidates = tables.app(idOf("delta"))!.candidates;
  for (let call = 0; call < 100; call++) {
    const name = siteOf(finder.find(candidates, { carrier: "", latitude: -50, longitude: -100 })!.member);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["south-1", "south-2"]);
  for (const count of counts.values()) assert.ok(count >= 35);
  assertFound(search(tables, "delta", { carrier: "", latitude: -50, longitude: -100 }, 2), [
    ["south-1", 19.920],
    ["south-2", 19.932],
  ]);
});

Deno.test("FindCloudlet, golden case 8: a site that is not ready is not offered", () => {
  const tables = goldenTables();
  tables.setCloudletInfo({ key: cloudletKey("northtel", "north-3"), state: 0 });
  assertFound(search(tables, "alpha", { carrier: "northtel", latitude: 50.75, longitude: 7.905 }), [
    ["north-2", 438.267],
  ]);
});

Deno.test("GetAppInstList, golden case 10", () => {
  assertFound(search(goldenTables(), "bravo", { carrier: "", latitude: 51, longitude: 11 }, 4), [
    ["north-2", 254.114],
    ["north-1", 275.329],
    ["north-3", 321.312],
    ["west-1", 7248.909],
  ]);
});

Deno.test("lists keep the nearest in order, golden cases 11 to 16", () => {
  const cases: [number, number[], number[]][] = [
    [3, [1], [1]],
    [3, [5, 3], [3, 5]],
    [3, [3, 5], [3, 5]],
    [3, [5, 3, 1], [1, 3, 5]],
    [3, [1, 4, 5, 3], [1, 3, 4]],
    [3, [1, 4, 5, 3, 8, 2, 10], [1, 2, 3]],
  ];
  for (const [limit, given, expected] of cases) {
    const candidates = given.map((distanceKm) => ({ member: String(distanceKm), distanceKm, carrier: "" }));
    const kept = rank(candidates, limit, (member) => member, undefined);
    assert.deepEqual(kept.map(({ distanceKm }) => distanceKm), expected);
    const search = new Search();
    search.begin(limit, 1e-9, Infinity);
    const squareOf = (km: number) => (km / 10) ** 2;
    for (const km of given) search.take(km, squareOf(km));
    const taken = [...search.ids.subarray(0, search.length)];
    assert.deepEqual(taken.filter((km) => squareOf(km) <= search.bound).sort((a, b) => a - b), expected);
    assert.equal(search.last, expected.length < limit ? Infinity : expected[limit - 1]! / 10);
  }
});

Deno.test("public clouds, golden cases 17 to 24: they must be 100 km nearer than the operator's own sites", () => {
  const app = ["acme", "alpha", "1.1"] as const;
  type Site = [carrier: string, latitude: number, longitude: number];
  const w: Site = ["westtel", 35, -95];
  const far: Site[] = [["westtel", 31, -91], ["azure", 35, -93], ["gcp", 35, -105]];
  for (let longitude = -96; longitude >= -103; longitude--) far.push(["westtel", 35, longitude]);
  const cases: [Site[], string, [number, number], [string, number][]][] = [
    [[w, ["gcp", 37, -94], ["azure", 37, -95]], "westtel", [35, -94], [
      ["westtel 35 -95", 91.09],
      ["gcp 37 -94", 322.39],
      ["azure 37 -95", 339.89],
    ]],
    [[w, ["gcp", 36, -95], ["azure", 37, -95]], "westtel", [36, -96], [
      ["westtel 35 -95", 143.38],
      ["gcp 36 -95", 189.96],
      ["azure 37 -95", 242.67],
    ]],
    [[w, ["gcp", 36, -95], ["azure", 37, -95]], "westtel", [37, -96], [
      ["azure 37 -95", 188.80],
      ["westtel 35 -95", 239.89],
      ["gcp 36 -95", 242.67],
    ]],
    [[w, ["gcp", 36, -95], ["azure", 37, -95]], "azure", [36, -96], [["azure 37 -95", 142.67], ["gcp 36 -95", 189.96]]],
    [[w, ["azure", 37, -95]], "westtel", [36, -95], [["westtel 35 -95", 111.19], ["azure 37 -95", 211.19]]],
    [[w, ["azure", 37, -95], ["othertel", 35, -96]], "", [37, -96], [["azure 37 -95", 88.80]]],
    [[w, ...far], "westtel", [35, -92], [["azure 35 -93", 191.09], ["westtel 35 -95", 273.25]]],
    [[w, ...far], "westtel", [35, -104], [["westtel 35 -103", 91.09]]],
  ];
  for (const [sites, carrier, [latitude, longitude], expected] of cases) {
    const tables = new Tables();
    tables.setApp({ key: { organization: app[0], name: app[1], version: app[2] } });
    for (const [org, lat, long] of sites) addSite(tables, app, org, `${org} ${lat} ${long}`, lat, long);
    const candidates = tables.app(appId(...app))!.candidates;
    const query = { carrier, latitude, longitude };
    assertFound(matcher().list(candidates, query, expected.length), expected, 0.01);
    assertFound([matcher().find(candidates, query)!], expected.slice(0, 1), 0.01);
  }
});

Deno.test("an operator code stands for its organization", () => {
  const tables = goldenTables();
  const finder = matcher(undefined, { "26201": "northtel" });
  const candidates = tables.app(idOf("alpha"))!.candidates;
  const query = { latitude: 50.75, longitude: 7.905 };
  assert.equal(siteOf(finder.find(candidates, { ...query, carrier: "26201" })!.member), "north-3");
  assert.equal(finder.find(candidates, { ...query, carrier: "26202" }), undefined);
});

Deno.test("usability, golden case 42, and each other condition of it", () => {
  const tables = goldenTables();
  const key = cloudletKey("northtel", "north-3");
  const site = cloudlet("northtel", "north-3", 48.1351, 11.5820);
  const app = APPS[0]!;
  const base = instance(app, "northtel", "north-3", 48.1351, 11.5820);
  const usable = () => tables.instance(base.key)!.usable;
  assert.equal(usable(), true);
  tables.setCloudletInfo({ key, state: 3 });
  assert.equal(usable(), false);
  tables.setCloudletInfo({ key, state: 2 });
  assert.equal(usable(), true);
  tables.setCloudlet({ ...site, maintenanceState: 31 });
  assert.equal(usable(), false);
  for (const maintenanceState of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    tables.setCloudlet({ ...site, maintenanceState });
    assert.equal(usable(), true, `maintenance ${maintenanceState}`);
  }
  for (const [healthCheck, expected] of [[0, true], [1, false], [2, false], [3, true], [4, false]] as const) {
    tables.setInstance({ ...base, healthCheck });
    assert.equal(usable(), expected, `health ${healthCheck}`);
  }
  for (let state = 0; state <= 15; state++) {
    tables.setInstance({ ...base, state });
    assert.equal(usable(), state === 5, `state ${state}`);
  }
});
