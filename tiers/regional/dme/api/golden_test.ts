// The golden cases of the specification that a device can see, and its table of errors, over both faces.
import assert from "node:assert/strict";
import type { Status } from "../../../../shared/rpc/mod.ts";
import { App, dme } from "../../../../shared/schema/mod.ts";
import { cloudlet, cloudletKey } from "../matching/fixture.ts";
import { Tables } from "../matching/mod.ts";
import { overBothFaces, refusal, type TestClient } from "../testing/clients.ts";
import { appInst, type TestRegion, testRegion } from "../testing/region.ts";
import type { RegionTables } from "./mod.ts";

type Place = [latitude: number, longitude: number];

const FOUND = dme.FindCloudletReply_FindStatus.FIND_FOUND;
const app = { orgName: "acme", appName: "alpha", appVers: "1.1" };

async function session(client: TestClient, request = app): Promise<string> {
  return (await client.call("registerClient", request)).sessionCookie;
}

interface CloudCase {
  readonly golden: number;
  /** Beside the operator's own at (35, -95). */
  readonly sites: readonly [carrier: string, ...Place][];
  readonly carrier: string;
  readonly at: Place;
  readonly best: string;
  readonly km: number;
}

const STEPS = [-96, -97, -98, -99, -100, -101, -102, -103].map((longitude) =>
  ["westtel", 35, longitude] as [string, ...Place]
);
const WIDE: CloudCase["sites"] = [["westtel", 31, -91], ...STEPS, ["azure", 35, -93], ["gcp", 35, -105]];
const PAIR: CloudCase["sites"] = [["gcp", 36, -95], ["azure", 37, -95]];

const CLOUDS: readonly CloudCase[] = [
  {
    golden: 17,
    sites: [["gcp", 37, -94], ["azure", 37, -95]],
    carrier: "westtel",
    at: [35, -94],
    best: "westtel",
    km: 91.09,
  },
  { golden: 18, sites: PAIR, carrier: "westtel", at: [36, -96], best: "westtel", km: 143.38 },
  { golden: 19, sites: PAIR, carrier: "westtel", at: [37, -96], best: "azure", km: 188.8 },
  { golden: 20, sites: PAIR, carrier: "azure", at: [36, -96], best: "azure", km: 142.67 },
  { golden: 21, sites: [["azure", 37, -95]], carrier: "westtel", at: [36, -95], best: "westtel", km: 111.19 },
  { golden: 22, sites: [["azure", 37, -95], ["other", 35, -96]], carrier: "", at: [37, -96], best: "azure", km: 88.8 },
  { golden: 23, sites: WIDE, carrier: "westtel", at: [35, -92], best: "azure", km: 191.09 },
  { golden: 24, sites: WIDE, carrier: "westtel", at: [35, -104], best: "westtel", km: 91.09 },
];

function cloudRegion({ sites }: CloudCase): TestRegion {
  const tables: RegionTables = new Tables();
  tables.setApp(App.create({ key: { organization: "acme", name: "alpha", version: "1.1" } }));
  const all: CloudCase["sites"] = [["westtel", 35, -95], ...sites];
  for (const [index, [carrier, latitude, longitude]] of all.entries()) {
    const name = `site-${index}`;
    tables.setCloudlet(cloudlet(carrier, name, latitude, longitude));
    tables.setCloudletInfo({ key: cloudletKey(carrier, name), state: 2 });
    tables.setInstance(appInst(["acme", "alpha", "1.1"], carrier, name, carrier, [latitude, longitude]));
  }
  return testRegion(tables);
}

for (const each of CLOUDS) {
  overBothFaces(`public clouds, golden case ${each.golden}`, async (client) => {
    const sessionCookie = await session(client);
    const request = {
      sessionCookie,
      carrierName: each.carrier,
      gpsLocation: { latitude: each.at[0], longitude: each.at[1] },
    };
    const found = await client.call("findCloudlet", request);
    assert.deepEqual([found.status, found.fqdn], [FOUND, each.best]);
    const { cloudlets } = await client.call("getAppInstList", request);
    assert.equal(cloudlets[0]!.carrierName, each.best);
    assert.ok(Math.abs(cloudlets[0]!.distance - each.km) < 0.01, `${cloudlets[0]!.distance}`);
    if (each.golden === 24) assert.equal(cloudlets[0]!.gpsLocation!.longitude, -103);
  }, () => cloudRegion(each));
}

overBothFaces("sites within a kilometre share the load, golden case 7", async (client) => {
  const sessionCookie = await session(client, { orgName: "delta", appName: "delta", appVers: "1.7" });
  const counts = new Map<string, number>();
  for (let i = 0; i < 100; i++) {
    const { fqdn } = await client.call("findCloudlet", {
      sessionCookie,
      gpsLocation: { latitude: -50, longitude: -100 },
    });
    counts.set(fqdn, (counts.get(fqdn) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["14.1.13.1", "14.1.13.2"]);
  for (const count of counts.values()) assert.ok(count >= 35, String(count));
}, () => testRegion(undefined, alternating()));

/** Even chances without chance. */
function alternating(): () => number {
  let turn = 0;
  return () => (turn++ % 2) * 0.75;
}

overBothFaces("places are verified by the default operator, golden cases 25 to 27", async (client) => {
  const sessionCookie = await session(client);
  const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
  const cases: [Place, number, number][] = [
    [[32.0139, -96.598], LOC_VERIFIED, 2],
    [[32.747, -97.095], LOC_VERIFIED, 100],
    [[52.65, 10.341], LOC_MISMATCH_SAME_COUNTRY, -1],
  ];
  for (const [[latitude, longitude], status, accuracy] of cases) {
    const reply = await client.call("verifyLocation", { sessionCookie, gpsLocation: { latitude, longitude } });
    assert.deepEqual([reply.gpsLocationStatus, reply.gpsLocationAccuracyKm], [status, accuracy]);
    assert.equal(reply.towerStatus, dme.VerifyLocationReply_TowerStatus.TOWER_UNKNOWN);
  }
}, testRegion);

overBothFaces("an app's official name and client token, golden case 47", async (client, region) => {
  const key = { organization: "acme", name: "alpha", version: "1.1" };
  region.tables.setApp(
    App.create({ key, officialFqdn: "alpha.example,b.example", accessPorts: "tcp:443:tls,udp:2000-2010" }),
  );
  const gpsLocation = { latitude: 36, longitude: -96 };
  const reply = await client.call("getAppOfficialFqdn", { sessionCookie: await session(client), gpsLocation });
  assert.equal(
    reply.clientToken,
    "eyJMb2NhdGlvbiI6eyJsYXRpdHVkZSI6MzYsImxvbmdpdHVkZSI6LTk2fSwiQXBwS2V5Ijp7Im9yZ2FuaXphdGlvbiI6ImFjbWUiLCJuYW1lIjoiYWxwaGEiLCJ2ZXJzaW9uIjoiMS4xIn19",
  );
  assert.equal(reply.appOfficialFqdn, "alpha.example,b.example");
  assert.deepEqual(reply.ports.map(({ internalPort, publicPort, endPort }) => [internalPort, publicPort, endPort]), [
    [443, 0, 0],
    [2000, 0, 2010],
  ]);
}, testRegion);

type Method = Parameters<TestClient["call"]>[0];
type Code = keyof typeof Status;

const at = { gpsLocation: { latitude: 50, longitude: 8 } };
const token = (json: unknown) => new TextEncoder().encode(JSON.stringify(json)).toBase64();
const APP_KEY = { organization: "acme", name: "alpha", version: "1.1" };

/** Requests of an app, those of the platform app, and what is said to them (DME specification 8). */
const ERRORS: readonly [who: "app" | "platform" | "nobody", Method, object, Code, RegExp][] = [
  ["nobody", "registerClient", {}, "INVALID_ARGUMENT", /org_name/],
  ["nobody", "registerClient", { orgName: "acme" }, "INVALID_ARGUMENT", /app_name/],
  ["nobody", "registerClient", { orgName: "acme", appName: "alpha" }, "INVALID_ARGUMENT", /app_vers/],
  ["nobody", "registerClient", { ...app, appVers: "2" }, "NOT_FOUND", /App not found/],
  ["nobody", "registerClient", { ...app, authToken: "x" }, "UNAUTHENTICATED", /no public key/],
  ["nobody", "registerClient", { ...app, uniqueId: "x" }, "INVALID_ARGUMENT", /unique_id/],
  ["nobody", "registerClient", { ...app, uniqueIdType: "x" }, "INVALID_ARGUMENT", /unique_id/],
  ["app", "findCloudlet", {}, "INVALID_ARGUMENT", /missing/],
  ["app", "findCloudlet", { gpsLocation: { latitude: 90.1 } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "findCloudlet", { gpsLocation: { longitude: -180.1 } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "findCloudlet", { gpsLocation: { latitude: NaN } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "findCloudlet", { gpsLocation: { longitude: Infinity } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "platformFindCloudlet", { clientToken: token({}) }, "PERMISSION_DENIED", /Not allowed/],
  ["platform", "platformFindCloudlet", {}, "INVALID_ARGUMENT", /missing/],
  ["platform", "platformFindCloudlet", { clientToken: "%" }, "INVALID_ARGUMENT", /invalid/],
  [
    "platform",
    "platformFindCloudlet",
    { clientToken: token({ Location: {}, AppKey: { ...APP_KEY, name: "" } }) },
    "INVALID_ARGUMENT",
    /name/,
  ],
  [
    "platform",
    "platformFindCloudlet",
    { clientToken: token({ Location: {}, AppKey: { ...APP_KEY, version: "0" } }) },
    "INVALID_ARGUMENT",
    /does not exist/,
  ],
  [
    "platform",
    "platformFindCloudlet",
    { clientToken: token({ Location: { latitude: 91 }, AppKey: APP_KEY }) },
    "INVALID_ARGUMENT",
    /invalid/,
  ],
  ["app", "getFqdnList", {}, "PERMISSION_DENIED", /Not allowed/],
  ["app", "getAppInstList", {}, "INVALID_ARGUMENT", /missing/],
  ["app", "getAppInstList", { gpsLocation: { latitude: -91 } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "getAppOfficialFqdn", {}, "INVALID_ARGUMENT", /missing/],
  ["app", "getAppOfficialFqdn", { gpsLocation: { latitude: 91 } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "verifyLocation", {}, "INVALID_ARGUMENT", /missing/],
  ["app", "verifyLocation", { gpsLocation: { latitude: 0, longitude: 0 } }, "INVALID_ARGUMENT", /missing/],
  ["app", "verifyLocation", { gpsLocation: { latitude: 1, longitude: 181 } }, "INVALID_ARGUMENT", /invalid/],
  ["app", "qosPrioritySessionCreate", {}, "INVALID_ARGUMENT", /configured/],
];

overBothFaces("every fault of a request is refused with the specified code", async (client) => {
  const cookies = {
    app: await session(client),
    platform: await session(client, { orgName: "platos", appName: "PlatosEnablingLayer", appVers: "1.1" }),
    nobody: "",
  };
  for (const [who, method, request, code, text] of ERRORS) {
    const sent = who === "nobody" ? request : { ...request, sessionCookie: cookies[who] };
    await assert.rejects(
      client.call(method, sent as never),
      refusal(code, text),
      `${method} ${JSON.stringify(request)}`,
    );
  }
}, testRegion);

const WITH_COOKIE: readonly Method[] = [
  "findCloudlet",
  "platformFindCloudlet",
  "qosPrioritySessionCreate",
  "qosPrioritySessionDelete",
  "verifyLocation",
  "getLocation",
  "addUserToGroup",
  "getAppInstList",
  "getFqdnList",
  "getAppOfficialFqdn",
];

overBothFaces("every call but the first wants a good cookie", async (client, region) => {
  const good = await session(client);
  const edge = (await client.call("findCloudlet", { sessionCookie: good, ...at })).edgeEventsCookie;
  const [header, claims, signature] = good.split(".") as [string, string, string];
  const forged = btoa(atob(claims.replaceAll("-", "+").replaceAll("_", "/")).replace("acme", "evil"))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const bad: [string, RegExp][] = [
    ["", /missing/],
    ["a.b", /segments/],
    ["a.b.c.d", /segments/],
    ["ä.b.c", /base64url/],
    [`${header}.${forged}.${signature}`, /bad signature/],
    [`${btoa('{"alg":"none"}').replaceAll("=", "")}.${claims}.`, /HS512/],
    [edge, /App not found/],
    ["x".repeat(9000), /too long/],
  ];
  for (const method of WITH_COOKIE) {
    for (const [sessionCookie, text] of bad) {
      await assert.rejects(
        client.call(method, { sessionCookie, ...at } as never),
        refusal("UNAUTHENTICATED", text),
        method,
      );
    }
  }
  region.tables.removeApp({ organization: "acme", name: "alpha", version: "1.1" });
  await assert.rejects(
    client.call("findCloudlet", { sessionCookie: good, ...at }),
    refusal("UNAUTHENTICATED", /App not found: organization "acme", name "alpha", version "1.1"/),
  );
  region.clock.nowMs += 24 * 3600 * 1000;
  await assert.rejects(
    client.call("findCloudlet", { sessionCookie: good, ...at }),
    refusal("UNAUTHENTICATED", /expired/),
  );
}, testRegion);
