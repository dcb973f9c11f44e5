import assert from "node:assert/strict";
import fc from "fast-check";
import { currentTraceparent } from "../../../../shared/telemetry/mod.ts";
import { createRestHandler } from "./handler.ts";
import { testRegion } from "../testing/region.ts";

function post(path: string, body?: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request(`https://localhost${path}`, { method: "POST", body, headers });
}

const peer = { address: "192.0.2.7" };
const REGISTER = { org_name: "acme", app_name: "alpha", app_vers: "1.1" };

async function cookieOf(region: ReturnType<typeof testRegion>): Promise<string> {
  const response = await region.rest(post("/v1/registerclient", JSON.stringify(REGISTER)), peer);
  return (await response.json()).session_cookie;
}

Deno.test("replies print every field in the specified forms", async () => {
  const region = testRegion();
  const registered = await region.rest(post("/v1/registerclient", JSON.stringify(REGISTER)), peer);
  assert.equal(registered.status, 200);
  assert.equal(registered.headers.get("content-type"), "application/json");
  const { session_cookie, unique_id, ...rest } = await registered.json();
  assert.deepEqual(rest, { ver: 0, status: "Success", token_server_uri: "", unique_id_type: "dme-ksuid", tags: {} });
  assert.equal(unique_id.length, 27);
  const place = { latitude: 50.65, longitude: 6.341 };
  const find = (carrier_name: string) =>
    region.rest(post("/v1/findcloudlet", JSON.stringify({ session_cookie, carrier_name, gps_location: place })), peer);
  const found = await (await find("northtel")).json();
  assert.match(found.edge_events_cookie, /^eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9\./);
  assert.deepEqual({ ...found, edge_events_cookie: "" }, {
    ver: 0,
    status: "Found",
    fqdn: "12.1.12.1",
    ports: [{
      proto: "Tcp",
      internal_port: 443,
      public_port: 443,
      fqdn_prefix: "",
      end_port: 0,
      tls: true,
      nginx: false,
      max_pkt_size: "0",
    }],
    cloudlet_location: {
      latitude: 48.1351,
      longitude: 11.582,
      horizontal_accuracy: 0,
      vertical_accuracy: 0,
      altitude: 0,
      course: 0,
      speed: 0,
      timestamp: null,
    },
    edge_events_cookie: "",
    qos_result: "NotAttempted",
    qos_error_msg: "",
    tags: {},
  });
  assert.deepEqual(await (await find("othertel")).json(), {
    ver: 0,
    status: "Notfound",
    fqdn: "",
    ports: [],
    cloudlet_location: {
      latitude: 0,
      longitude: 0,
      horizontal_accuracy: 0,
      vertical_accuracy: 0,
      altitude: 0,
      course: 0,
      speed: 0,
      timestamp: null,
    },
    edge_events_cookie: "",
    qos_result: "NotAttempted",
    qos_error_msg: "",
    tags: {},
  });
});

Deno.test("requests are read in every form that known clients send", async () => {
  const region = testRegion();
  const session_cookie = await cookieOf(region);
  const bodies = [
    { session_cookie, gps_location: { latitude: 50, longitude: 8 } },
    { sessionCookie: session_cookie, gpsLocation: { latitude: "50", longitude: "8" } },
    {
      ver: 1,
      session_cookie,
      gps_location: { latitude: 50, longitude: 8, timestamp: { seconds: "1700000000", nanos: 5 } },
    },
    { session_cookie, gps_location: { latitude: 50, longitude: 8, timestamp: "2023-11-14T22:13:20.000000005Z" } },
    { session_cookie, gps_location: { latitude: 50, longitude: 8 }, cell_id: 7, unknown: [1] },
    {
      session_cookie,
      carrier_name: null,
      gps_location: { latitude: 50, longitude: 8 },
      tags: { Buffer: "\0".repeat(2048) },
    },
  ];
  for (const body of bodies) {
    // curl's own form type.
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await region.rest(post("/v1/findcloudlet", JSON.stringify(body), headers), peer);
    assert.equal((await response.json()).status, "Found", JSON.stringify(body).slice(0, 200));
  }
});

Deno.test("errors have the code, a message and the status of the code", async () => {
  const region = testRegion();
  const session_cookie = await cookieOf(region);
  const cases: [string, BodyInit | undefined, number, number, RegExp][] = [
    ["/v1/registerclient", undefined, 400, 3, /org_name/],
    ["/v1/registerclient", "", 400, 3, /org_name/],
    ["/v1/registerclient", "{", 400, 3, /not JSON/],
    ["/v1/registerclient", "[]", 400, 3, /object/],
    ["/v1/registerclient", '"x"', 400, 3, /object/],
    ["/v1/registerclient", '{"org_name":7}', 400, 3, /org_name/],
    ["/v1/registerclient", JSON.stringify({ ...REGISTER, app_name: "no" }), 404, 5, /App not found/],
    ["/v1/registerclient", new Uint8Array([0xff]), 400, 3, /UTF-8/],
    ["/v1/registerclient", " ".repeat(300_000), 400, 3, /too long/],
    ["/v1/findcloudlet", "{}", 401, 16, /missing/],
    ["/v1/findcloudlet", JSON.stringify({ session_cookie }), 400, 3, /gps_location is missing/],
    ["/v1/findcloudlet", JSON.stringify({ session_cookie, gps_location: { latitude: "x" } }), 400, 3, /latitude/],
    ["/v1/findcloudlet", JSON.stringify({ session_cookie, gps_location: { latitude: "NaN" } }), 400, 3, /invalid/],
    ["/v1/qosprioritysessioncreate", JSON.stringify({ session_cookie, profile: "FASTEST" }), 400, 3, /profile/],
    ["/v1/getfqdnlist", JSON.stringify({ session_cookie }), 403, 7, /Not allowed/],
  ];
  for (const [path, body, status, code, message] of cases) {
    const response = await region.rest(post(path, body), peer);
    const json = await response.json();
    assert.equal(response.status, status, `${path} ${JSON.stringify(json)}`);
    assert.deepEqual([json.code, json.details], [code, []]);
    assert.match(json.message, message);
    assert.equal(response.headers.get("content-type"), "application/json");
  }
  assert.deepEqual(region.errors, []);
});

Deno.test("unknown paths, other methods and calls without a REST form are Not Implemented", async () => {
  const region = testRegion();
  const requests = [
    post("/"),
    post("/v1/nothing", "{}"),
    post("/v1/FindCloudlet", "{}"),
    post("/v1/sendtogroup", "{}"),
    new Request("https://localhost/v1/streamedgeevent"),
    new Request("https://localhost/v1/streamedgeevent", { method: "PUT", body: "{}" }),
    new Request("https://localhost/v1/findcloudlet"),
    new Request("https://localhost/v1/findcloudlet", { method: "PUT", body: "{}" }),
    new Request("https://localhost/v1/findcloudlet", { method: "OPTIONS" }),
  ];
  for (const request of requests) {
    const response = await region.rest(request, peer);
    assert.equal(response.status, 501, request.url);
    assert.deepEqual(await response.json(), { code: 12, message: "Not Implemented", details: [] });
  }
});

Deno.test("pages of other origins may call", async () => {
  const region = testRegion();
  const origin = "https://page.example";
  const preflight = await region.rest(
    new Request("https://localhost/v1/registerclient", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    }),
    peer,
  );
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers.get("access-control-allow-headers"), "Content-Type,Accept");
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET,HEAD,POST,PUT,DELETE");
  for (const body of [JSON.stringify(REGISTER), "{}"]) {
    const response = await region.rest(post("/v1/registerclient?x=1", body, { origin }), peer);
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    await response.body?.cancel();
  }
});

Deno.test("the cookie records the true peer, also by IPv6", async () => {
  const region = testRegion();
  const response = await region.rest(post("/v1/registerclient", JSON.stringify(REGISTER)), { address: "2001:db8::7" });
  const session = await region.desk.sessions.verify((await response.json()).session_cookie);
  assert.equal(session.peerIp, "2001:db8::7");
});

Deno.test("the alias of a published client joins a group", async () => {
  const region = testRegion();
  const body = JSON.stringify({ session_cookie: await cookieOf(region), lg_id: "5", comm_type: "DLG_SECURE" });
  const response = await region.rest(post("/v1/dynamiclocgroup", body), peer);
  assert.deepEqual(await response.json(), { ver: 0, status: "Success", error_code: 0, group_cookie: "", tags: {} });
});

Deno.test("no JSON makes the handler fail", async () => {
  const region = testRegion();
  const session_cookie = await cookieOf(region);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        "registerclient",
        "findcloudlet",
        "getappinstlist",
        "verifylocation",
        "getlocation",
        "addusertogroup",
      ),
      fc.oneof(
        fc.json(),
        fc.record(
          { session_cookie: fc.constant(session_cookie), gps_location: fc.jsonValue(), limit: fc.jsonValue() },
          {
            requiredKeys: ["session_cookie"],
          },
        ).map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      async (name, body) => {
        const response = await region.rest(post(`/v1/${name}`, body), peer);
        assert.ok([200, 400, 401, 404].includes(response.status), `${response.status} for ${body}`);
        const json = await response.json();
        if (response.status !== 200) assert.ok(json.code > 0 && typeof json.message === "string");
      },
    ),
    { numRuns: 500 },
  );
  assert.deepEqual(region.errors, []);
});

Deno.test("a call that comes with a trace context runs inside that trace", async () => {
  const region = testRegion();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  let seen: string | undefined;
  const calls = {
    ...region.calls,
    registerClient: {
      ...region.calls.registerClient,
      run: (...args: Parameters<typeof region.calls.registerClient.run>) => {
        seen = currentTraceparent();
        return region.calls.registerClient.run(...args);
      },
    },
  };
  const rest = createRestHandler({ calls, edge: region.edge, onError: () => {} });
  assert.equal((await rest(post("/v1/registerclient", JSON.stringify(REGISTER), { traceparent }), peer)).status, 200);
  assert.equal(seen?.split("-")[1], traceparent.split("-")[1]);
  await rest(post("/v1/registerclient", JSON.stringify(REGISTER)), peer);
  assert.equal(seen, undefined);
});

Deno.test("positions are answered as a line, a refusal with its status as an error line", async () => {
  const region = testRegion();
  const session_cookie = await cookieOf(region);
  const ask = (body: unknown) => region.rest(post("/v1/getqospositionkpi", JSON.stringify(body)), peer);
  const positions = [{ positionid: "9007199254740991", gps_location: { latitude: 1, longitude: 2 } }];
  const response = await ask({ session_cookie, positions });
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "application/json"]);
  const text = await response.text();
  assert.ok(text.endsWith("}\n") && text.indexOf("\n") === text.length - 1);
  const { result } = JSON.parse(text);
  assert.deepEqual(Object.keys(result), ["ver", "status", "position_results", "tags"]);
  const [{ positionid, gps_location, ...values }] = result.position_results;
  assert.deepEqual([result.status, positionid, gps_location.longitude], ["Success", positions[0]!.positionid, 2]);
  const measures = ["dluserthroughput", "uluserthroughput", "latency"];
  assert.deepEqual(
    Object.keys(values),
    measures.flatMap((name) => ["min", "avg", "max"].map((end) => `${name}_${end}`)),
  );
  for (const name of measures) {
    assert.ok(0 <= values[`${name}_min`] && values[`${name}_min`] <= values[`${name}_avg`]);
    assert.ok(values[`${name}_avg`] <= values[`${name}_max`]);
  }
  const refused: [unknown, number, number, string][] = [
    [{ positions }, 401, 16, "Unauthorized"],
    [{ session_cookie }, 400, 3, "Bad Request"],
    [{ session_cookie, positions: [{ positionid: 1 }] }, 400, 3, "Bad Request"],
  ];
  for (const [body, status, code, words] of refused) {
    const answer = await ask(body);
    const { error } = await answer.json();
    assert.equal(answer.status, status);
    const { message, ...rest } = error;
    assert.deepEqual(rest, { grpc_code: code, http_code: status, http_status: words, details: [] });
    assert.ok(message.length > 0);
  }
});
