import assert from "node:assert/strict";
import { exportSPKI, SignJWT } from "jose";
import { App, dme } from "../../../../shared/schema/mod.ts";
import { cloudlet, cloudletKey } from "../matching/fixture.ts";
import { overBothFaces, refusal, type TestClient } from "../testing/clients.ts";
import { NOW_MS, type TestRegion, testRegion } from "../testing/region.ts";

const { FIND_FOUND, FIND_NOTFOUND } = dme.FindCloudletReply_FindStatus;

function both(name: string, body: (client: TestClient, region: TestRegion) => Promise<void>): void {
  overBothFaces(name, body, testRegion);
}

const APPS: Record<string, [string, string, string]> = {
  alpha: ["acme", "alpha", "1.1"],
  bravo: ["bravo", "bravo", "2.1"],
  charlie: ["bravo", "charlie", "1.0"],
  delta: ["delta", "delta", "1.7"],
  platform: ["platos", "PlatosEnablingLayer", "1.1"],
};

async function register(client: TestClient, app: string): Promise<string> {
  const [orgName, appName, appVers] = APPS[app]!;
  const reply = await client.call("registerClient", { orgName, appName, appVers });
  assert.equal(reply.status, dme.ReplyStatus.RS_SUCCESS);
  return reply.sessionCookie;
}

both("FindCloudlet gives the golden instances with ports, place and edge cookie", async (client, region) => {
  const cases: [string, string, [number, number], string | undefined][] = [
    ["alpha", "northtel", [50.65, 6.341], "12.1.12.1"],
    ["alpha", "othertel", [52.65, 10.341], undefined],
    ["alpha", "northtel", [50.75, 7.905], "12.1.12.1"],
    ["delta", "westtel", [47.75, 122.905], "13.1.13.1"],
    ["delta", "", [48.31, 11.66], "12.1.12.1"],
    ["charlie", "westtel", [50.75, 11.905], "11.1.11.1"],
    ["platform", "", [50, 8], undefined],
    ["delta", "", [0, 0], "12.1.12.1"],
  ];
  for (const [app, carrierName, [latitude, longitude], fqdn] of cases) {
    const sessionCookie = await register(client, app);
    const gpsLocation = { latitude, longitude };
    const reply = await client.call("findCloudlet", { sessionCookie, carrierName, gpsLocation });
    assert.equal(reply.status, fqdn === undefined ? FIND_NOTFOUND : FIND_FOUND);
    assert.equal(reply.fqdn, fqdn ?? "");
    assert.equal(reply.ports.length, fqdn === undefined ? 0 : 1);
    assert.ok(reply.cloudletLocation !== undefined, "the place is never null");
    if (fqdn === undefined) continue;
    assert.deepEqual(reply.ports[0], dme.AppPort.create({ proto: 1, internalPort: 443, publicPort: 443, tls: true }));
    const edge = await region.desk.edgeEvents.verify(reply.edgeEventsCookie);
    assert.equal(edge.clusterName, "testcluster");
    assert.equal(edge.location.latitude, latitude);
  }
});

both("FindCloudlet follows the state of sites and alliances, golden cases 6 and 8", async (client, region) => {
  const sessionCookie = await register(client, "charlie");
  const request = { sessionCookie, carrierName: "westtel", gpsLocation: { latitude: 50.75, longitude: 11.905 } };
  region.tables.setCloudlet({ ...cloudlet("northtel", "north-2", 52.7374, 13.405), allianceOrgs: [] });
  assert.equal((await client.call("findCloudlet", request)).fqdn, "13.1.13.1");
  region.tables.setCloudletInfo({ key: cloudletKey("northtel", "north-3"), state: 0 });
  const again = { ...request, carrierName: "northtel", gpsLocation: { latitude: 48.1, longitude: 11.5 } };
  assert.notEqual((await client.call("findCloudlet", again)).fqdn, "12.1.12.1");
  region.tables.setCloudletInfo({ key: cloudletKey("northtel", "north-3"), state: 2 });
  assert.equal((await client.call("findCloudlet", again)).fqdn, "12.1.12.1");
});

both("GetAppInstList lists cloudlets in order with their own carriers, golden case 10", async (client) => {
  const sessionCookie = await register(client, "bravo");
  const gpsLocation = { latitude: 51, longitude: 11 };
  const reply = await client.call("getAppInstList", { sessionCookie, gpsLocation, limit: 4 });
  assert.equal(reply.status, dme.AppInstListReply_AIStatus.AI_SUCCESS);
  const expected = [["north-2", 254.114], ["north-1", 275.329], ["north-3", 321.312], ["west-1", 7248.909]] as const;
  assert.deepEqual(reply.cloudlets.map(({ cloudletName }) => cloudletName), expected.map(([name]) => name));
  for (const [index, [, km]] of expected.entries()) {
    const { distance, appinstances, gpsLocation } = reply.cloudlets[index]!;
    assert.ok(Math.abs(distance - km) < 0.001);
    assert.equal(appinstances.length, 1);
    assert.deepEqual([appinstances[0]!.orgName, appinstances[0]!.appName, appinstances[0]!.appVers], APPS.bravo);
    assert.ok(appinstances[0]!.edgeEventsCookie !== "");
    assert.ok(gpsLocation !== undefined);
  }
  assert.equal((await client.call("getAppInstList", { sessionCookie, gpsLocation })).cloudlets.length, 3);
  const charlie = await register(client, "charlie");
  const allied = await client.call("getAppInstList", { sessionCookie: charlie, carrierName: "westtel", gpsLocation });
  assert.deepEqual(allied.cloudlets.map(({ carrierName }) => carrierName), ["northtel", "westtel"]);
  const nobody = await client.call("getAppInstList", { sessionCookie, carrierName: "othertel", gpsLocation });
  assert.deepEqual([nobody.status, nobody.cloudlets], [dme.AppInstListReply_AIStatus.AI_SUCCESS, []]);
});

both("RegisterClient makes an id where the device has none, and keeps the device's own", async (client, region) => {
  const base = { orgName: "acme", appName: "alpha", appVers: "1.1" };
  const made = await client.call("registerClient", base);
  assert.equal(made.uniqueIdType, "dme-ksuid");
  assert.match(made.uniqueId, /^[0-9A-Za-z]{27}$/);
  const session = await region.desk.sessions.verify(made.sessionCookie);
  assert.deepEqual([session.uniqueId, session.uniqueIdType], [made.uniqueId, made.uniqueIdType]);
  assert.equal(session.peerIp, "127.0.0.1");
  const own = await client.call("registerClient", { ...base, uniqueId: "123", uniqueIdType: "headset" });
  assert.deepEqual([own.uniqueId, own.uniqueIdType], ["", ""]);
  assert.equal((await region.desk.sessions.verify(own.sessionCookie)).uniqueId, "123");
  const [orgName, appName, appVers] = APPS.platform!;
  const platform = await client.call("registerClient", { orgName, appName, appVers });
  assert.equal(platform.uniqueIdType, "platos:PlatosEnablingLayer");
});

both("RegisterClient refuses in the specified order", async (client) => {
  const bad = (request: Parameters<typeof client.call<"registerClient">>[1]) => client.call("registerClient", request);
  await assert.rejects(bad({}), refusal("INVALID_ARGUMENT", /org_name/));
  await assert.rejects(bad({ orgName: "acme" }), refusal("INVALID_ARGUMENT", /app_name/));
  await assert.rejects(bad({ orgName: "acme", appName: "x" }), refusal("INVALID_ARGUMENT", /app_vers/));
  const unknown = { orgName: "acme", appName: "x", appVers: "1", authToken: "t", uniqueId: "1" };
  await assert.rejects(bad(unknown), refusal("NOT_FOUND", /acme.*x.*1/));
  const known = { orgName: "acme", appName: "alpha", appVers: "1.1" };
  await assert.rejects(bad({ ...known, authToken: "t", uniqueId: "1" }), refusal("UNAUTHENTICATED", /public key/));
  await assert.rejects(bad({ ...known, uniqueId: "1" }), refusal("INVALID_ARGUMENT", /together/));
  await assert.rejects(bad({ ...known, uniqueIdType: "t" }), refusal("INVALID_ARGUMENT", /together/));
});

both("RegisterClient asks for the app's token where the app has a public key", async (client, region) => {
  const rsa = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const pair = await crypto.subtle.generateKey(rsa, true, ["sign", "verify"]);
  const key = { organization: "acme", name: "alpha", version: "1.1" };
  region.tables.setApp(App.create({ key, authPublicKey: await exportSPKI(pair.publicKey) }));
  const request = { orgName: "acme", appName: "alpha", appVers: "1.1" };
  await assert.rejects(client.call("registerClient", request), refusal("INVALID_ARGUMENT", /auth_token is missing/));
  const sign = (claims: object) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: "RS256" }).sign(pair.privateKey);
  const claims = { orgname: "acme", appname: "alpha", appvers: "1.1", iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 60 };
  await client.call("registerClient", { ...request, authToken: await sign(claims) });
  const wrong = await sign({ ...claims, appname: "beta" });
  await assert.rejects(
    client.call("registerClient", { ...request, authToken: wrong }),
    refusal("UNAUTHENTICATED", /another appname/),
  );
});

both(
  "every call with a cookie refuses one that is missing, forged, expired, of a deleted app or an edge cookie",
  async (client, region) => {
    const cookie = await register(client, "alpha");
    const gpsLocation = { latitude: 50, longitude: 8 };
    const { edgeEventsCookie } = await client.call("findCloudlet", { sessionCookie: cookie, gpsLocation });
    const methods = [
      "findCloudlet",
      "getAppInstList",
      "platformFindCloudlet",
      "getFqdnList",
      "getAppOfficialFqdn",
      "verifyLocation",
      "getLocation",
      "addUserToGroup",
      "qosPrioritySessionCreate",
      "qosPrioritySessionDelete",
    ] as const;
    const refuses = async (sessionCookie: string, text: RegExp) => {
      for (const method of methods) {
        await assert.rejects(client.call(method, { sessionCookie }), refusal("UNAUTHENTICATED", text), method);
      }
    };
    await refuses("", /Session cookie is missing/);
    await refuses("a.b.c", /Session cookie /);
    await refuses(cookie.slice(0, -6) + "AAAAAA", /bad signature/);
    await refuses(edgeEventsCookie, /App not found/);
    region.tables.removeApp({ organization: "acme", name: "alpha", version: "1.1" });
    await refuses(cookie, /App not found: organization "acme", name "alpha", version "1.1"/);
    region.tables.setApp(App.create({ key: { organization: "acme", name: "alpha", version: "1.1" } }));
    await client.call("findCloudlet", { sessionCookie: cookie, gpsLocation });
    region.clock.nowMs += 86_400_000;
    await refuses(cookie, /expired/);
  },
);

both("places that are missing, out of range or not numbers are refused", async (client) => {
  const sessionCookie = await register(client, "alpha");
  for (const method of ["findCloudlet", "getAppInstList", "getAppOfficialFqdn", "verifyLocation"] as const) {
    await assert.rejects(
      client.call(method, { sessionCookie }),
      refusal("INVALID_ARGUMENT", /gps_location is missing/),
    );
    for (const [latitude, longitude] of [[90.1, 0], [0, -180.1], [NaN, 1], [1, NaN], [Infinity, 0]]) {
      const request = { sessionCookie, gpsLocation: { latitude, longitude } };
      await assert.rejects(client.call(method, request), refusal("INVALID_ARGUMENT", /gps_location is invalid/));
    }
  }
  const zero = { sessionCookie, gpsLocation: { latitude: 0, longitude: 0 } };
  await assert.rejects(client.call("verifyLocation", zero), refusal("INVALID_ARGUMENT", /missing/));
});

both(
  "official names and client tokens lead the platform app to an instance, golden case 47",
  async (client, region) => {
    const alpha = { organization: "acme", name: "alpha", version: "1.1" };
    const gpsLocation = { latitude: 36, longitude: -96 };
    const sessionCookie = await register(client, "alpha");
    const none = await client.call("getAppOfficialFqdn", { sessionCookie, gpsLocation });
    assert.equal(none.status, dme.AppOfficialFqdnReply_AOFStatus.AOF_FAIL);
    region.tables.setApp(App.create({
      key: alpha,
      officialFqdn: "alpha.example,www.alpha.example",
      androidPackageName: "com.acme.alpha",
      accessPorts: "tcp:80,udp:2000-2010:maxpktsize=1800,tcp:444:tls",
    }));
    const named = await client.call("getAppOfficialFqdn", { sessionCookie, gpsLocation });
    assert.equal(named.status, dme.AppOfficialFqdnReply_AOFStatus.AOF_SUCCESS);
    assert.equal(named.appOfficialFqdn, "alpha.example,www.alpha.example");
    assert.equal(
      named.clientToken,
      "eyJMb2NhdGlvbiI6eyJsYXRpdHVkZSI6MzYsImxvbmdpdHVkZSI6LTk2fSwiQXBwS2V5Ijp7Im9yZ2FuaXphdGlvbiI6ImFjbWUiLCJuYW1lIjoiYWxwaGEiLCJ2ZXJzaW9uIjoiMS4xIn19",
    );
    assert.deepEqual(
      named.ports.map((port) => [port.proto, port.internalPort, port.endPort, port.publicPort, port.tls]),
      [
        [1, 80, 0, 0, false],
        [2, 2000, 2010, 0, false],
        [1, 444, 0, 0, true],
      ],
    );
    const platform = await register(client, "platform");
    const list = await client.call("getFqdnList", { sessionCookie: platform });
    assert.deepEqual(list.appFqdns, [{
      appName: "alpha",
      appVers: "1.1",
      orgName: "acme",
      fqdns: ["alpha.example", "www.alpha.example"],
      androidPackageName: "com.acme.alpha",
    }]);
    const request = { sessionCookie: platform, clientToken: named.clientToken };
    assert.equal((await client.call("platformFindCloudlet", request)).fqdn, "11.1.11.1");
    assert.equal(
      (await client.call("platformFindCloudlet", { ...request, carrierName: "othertel" })).status,
      FIND_NOTFOUND,
    );
    await assert.rejects(client.call("getFqdnList", { sessionCookie }), refusal("PERMISSION_DENIED", /acme/));
    await assert.rejects(
      client.call("platformFindCloudlet", { ...request, sessionCookie }),
      refusal("PERMISSION_DENIED", /alpha/),
    );
  },
);

both("client tokens that say too little or too much are refused", async (client) => {
  const sessionCookie = await register(client, "platform");
  const app = { organization: "acme", name: "alpha", version: "1.1" };
  const cases: [unknown, RegExp][] = [
    [{ Location: {} }, /invalid/],
    [{ Location: {}, AppKey: { ...app, organization: "" } }, /no app organization/],
    [{ Location: {}, AppKey: { ...app, name: 1 } }, /no app name/],
    [{ Location: {}, AppKey: { ...app, version: undefined } }, /no app version/],
    [{ Location: {}, AppKey: { ...app, name: "other" } }, /does not exist/],
    [{ Location: { latitude: 91 }, AppKey: app }, /out of range/],
    [{ Location: { latitude: "x" }, AppKey: app }, /malformed/],
    [[], /invalid/],
  ];
  for (const [token, text] of cases) {
    const clientToken = btoa(JSON.stringify(token));
    await assert.rejects(
      client.call("platformFindCloudlet", { sessionCookie, clientToken }),
      refusal("INVALID_ARGUMENT", text),
    );
  }
  await assert.rejects(client.call("platformFindCloudlet", { sessionCookie }), refusal("INVALID_ARGUMENT", /missing/));
  const clientToken = "%%%";
  await assert.rejects(
    client.call("platformFindCloudlet", { sessionCookie, clientToken }),
    refusal("INVALID_ARGUMENT", /base64/),
  );
  const unknownMembers = btoa(JSON.stringify({ Location: { Extra: 1 }, AppKey: { ...app, more: 2 }, Other: 3 }));
  await client.call("platformFindCloudlet", { sessionCookie, clientToken: unknownMembers });
});

both("VerifyLocation and GetLocation by the default operator, golden cases 25 to 27", async (client) => {
  const sessionCookie = await register(client, "alpha");
  const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
  const cases: [number, number, number, number][] = [
    [32.0139, -96.598, LOC_VERIFIED, 2],
    [32.747, -97.095, LOC_VERIFIED, 100],
    [52.65, 10.341, LOC_MISMATCH_SAME_COUNTRY, -1],
  ];
  for (const [latitude, longitude, status, accuracy] of cases) {
    const reply = await client.call("verifyLocation", { sessionCookie, gpsLocation: { latitude, longitude } });
    assert.deepEqual([reply.gpsLocationStatus, reply.gpsLocationAccuracyKm], [status, accuracy]);
  }
  const found = await client.call("getLocation", { sessionCookie, carrierName: "northtel" });
  assert.equal(found.status, dme.GetLocationReply_LocStatus.LOC_FOUND);
  assert.equal(found.carrierName, "northtel");
  assert.equal(found.networkLocation?.latitude, 32.013988);
});

both("groups and QoS sessions answer as an operator without them does", async (client) => {
  const sessionCookie = await register(client, "alpha");
  assert.equal((await client.call("addUserToGroup", { sessionCookie })).status, dme.ReplyStatus.RS_SUCCESS);
  await assert.rejects(
    client.call("qosPrioritySessionCreate", { sessionCookie }),
    refusal("INVALID_ARGUMENT", /No QoS session service/),
  );
  const { status } = await client.call("qosPrioritySessionDelete", { sessionCookie });
  assert.equal(status, dme.QosPrioritySessionDeleteReply_DeleteStatus.QDEL_UNKNOWN);
});
