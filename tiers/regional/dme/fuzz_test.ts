// Whatever bytes come to a port for devices, they are refused or answered, and nothing fails inside.
import assert from "node:assert/strict";
import fc from "fast-check";
import { createChannel, createClient, rawBytes, RpcError, Status } from "../../../shared/rpc/mod.ts";
import { serveHttp } from "../../../shared/runtime/mod.ts";
import { dme, type MessageType } from "../../../shared/schema/mod.ts";
import { grpcFaceAt, webSocketFace } from "./testing/edge_clients.ts";
import { begin, Client, cookies, init, Server, SOUTH } from "./testing/edge_streams.ts";
import { testRegion } from "./testing/region.ts";
import { until } from "./testing/until.ts";

const CODES: readonly number[] = [
  Status.OK,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  // What bytes that are no message are answered with, by gRPC's own rules.
  Status.INTERNAL,
];

const METHODS = Object.values(dme.MatchEngineApi.methods);

/** Bytes, and messages with some bytes changed. */
function messages(known: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = fc.tuple(fc.constantFrom(...known), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
      return copy;
    });
  return fc.oneof(fc.uint8Array({ maxLength: 64 }), changed);
}

Deno.test("no bytes make a gRPC call fail inside", async () => {
  const region = testRegion();
  const { server, address } = await region.grpcServer();
  const channel = createChannel({ address });
  const given = await cookies(region);
  const known = [
    dme.FindCloudletRequest.encode(dme.FindCloudletRequest.create({ ...given, gpsLocation: SOUTH, tags: { a: "b" } })),
    dme.RegisterClientRequest.encode(dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha" })),
    dme.ClientEdgeEvent.encode(dme.ClientEdgeEvent.create(init(given))),
  ];
  try {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS), messages(known), async ({ path, name }, bytes) => {
        const service = {
          name: "Raw",
          methods: {
            call: { path, requestStream: true, responseStream: true, input: rawBytes, output: rawBytes },
          },
        } as const;
        let code: number = Status.OK;
        try {
          const client = createClient(service, channel, { timeoutMs: 30_000 });
          for await (const reply of client.call(ReadableStream.from([bytes]))) assert.ok(reply.length < 100_000);
        } catch (error) {
          assert.ok(error instanceof RpcError);
          code = error.code;
          if (code === Status.INTERNAL) assert.match(error.message, /cannot be decoded/);
        }
        assert.ok(CODES.includes(code), `${name} ends with ${code}`);
      }),
      { numRuns: 600 },
    );
    await until(() => region.edge.open === 0, "no stream is open");
    // Only that something was no message was told of.
    for (const error of region.errors) assert.match(String(error), /DecodeError/);
  } finally {
    channel.close();
    await server.close();
  }
});

const unary = METHODS.filter(({ requestStream }) => !requestStream);

/** JSON near to what the fields of a message want. */
function near(type: MessageType<unknown>): fc.Arbitrary<unknown> {
  const value = fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(null, "", "NaN", "1e999", -1, 0, 1e308, "0x10", true, [], {}, "QOS_LOW_LATENCY"),
    fc.jsonValue({ maxDepth: 2 }),
    fc.record({ latitude: fc.anything({ maxDepth: 0 }), longitude: fc.double() }, { requiredKeys: [] }),
  );
  const keys = type.descriptor.fields.map(({ name }) => name);
  return fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 5 })), value, {
    maxKeys: 5,
    noNullPrototype: true,
  });
}

Deno.test("no JSON makes a REST call fail inside", async () => {
  const region = testRegion();
  const { sessionCookie } = await cookies(region);
  const calls = fc.constantFrom(...unary).chain((method) =>
    near(method.input as MessageType<unknown>).map((json) => [method.name, json] as const)
  );
  await fc.assert(
    fc.asyncProperty(calls, fc.boolean(), async ([name, json], proven) => {
      const body = JSON.stringify(proven ? { ...json as object, session_cookie: sessionCookie } : json);
      const request = new Request(`https://localhost/v1/${name.toLowerCase()}`, { method: "POST", body });
      const response = await region.rest(request, { address: "192.0.2.1" });
      assert.ok([200, 400, 401, 403, 404].includes(response.status), `${name} ${response.status} ${body}`);
      JSON.parse(await response.text());
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual(region.errors, []);
});

Deno.test("no content type, coding or query matters to a REST call, and no body is too much for it", async () => {
  const region = testRegion();
  const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler: region.rest });
  const post = async (name: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const response = await fetch(`${listener.url}/v1/${name}`, { method: "POST", body, headers });
    return [response.status, (await response.json()).code];
  };
  const register = JSON.stringify({ org_name: "acme", app_name: "alpha", app_vers: "1.1" });
  try {
    for (const type of ["application/xml", "multipart/form-data", "nonsense", "application/json; charset=latin1"]) {
      assert.deepEqual(await post("registerclient?a=b&stream=c", register, { "content-type": type }), [200, undefined]);
    }
    const large = `{"org_name":"${"x".repeat(300_000)}"}`;
    assert.deepEqual(await post("registerclient", large), [400, Status.INVALID_ARGUMENT]);
    // Without a length that is announced.
    const chunks = ReadableStream.from(Array.from({ length: 40 }, () => new TextEncoder().encode(" ".repeat(10_000))));
    assert.deepEqual(await post("registerclient", chunks), [400, Status.INVALID_ARGUMENT]);
    const deep = "[".repeat(100_000);
    assert.deepEqual(await post("registerclient", `{"tags":${deep}`), [400, Status.INVALID_ARGUMENT]);
    const nested = `{"gps_location":${'{"timestamp":'.repeat(5000)}1${"}".repeat(5001)}`;
    // A time stamp has no such member: it is passed over.
    assert.deepEqual(await post("findcloudlet", nested), [401, Status.UNAUTHENTICATED]);
    assert.deepEqual(await post("streamedgeevent?stream=nothing", register), [404, Status.NOT_FOUND]);
  } finally {
    await listener.close();
  }
  assert.deepEqual(region.errors, []);
});

Deno.test("no text makes an event stream fail inside", async () => {
  const region = testRegion();
  const given = await cookies(region);
  const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler: region.rest });
  const events = fc.array(
    fc.oneof(fc.string(), near(dme.ClientEdgeEvent as MessageType<unknown>).map((json) => JSON.stringify(json))),
    { maxLength: 5 },
  );
  try {
    await fc.assert(
      fc.asyncProperty(events, async (texts) => {
        const url = `${listener.url}/v1/streamedgeevent`;
        const first = JSON.stringify({
          event_type: 1,
          session_cookie: given.sessionCookie,
          edge_events_cookie: given.edgeEventsCookie,
        });
        const response = await fetch(url, { method: "POST", body: `${first}${texts.join("")}` });
        const lines = (await response.text()).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
        assert.equal(lines[0].result.event_type, "InitConnection");
        const { error } = lines.at(-1);
        if (error !== undefined) assert.equal(error.grpc_code, Status.INVALID_ARGUMENT, JSON.stringify(error));
      }),
      { numRuns: 200 },
    );
  } finally {
    await listener.close();
  }
  assert.deepEqual(region.errors, []);
  assert.equal(region.edge.open, 0);
});

Deno.test("what is no event ends a WebSocket with the reason", async () => {
  const region = testRegion();
  const face = await webSocketFace(region);
  try {
    for (
      const [data, text] of [["{", /not JSON/], ["[]", /object/], [`"${"x".repeat(300_000)}"`, /too long/]] as const
    ) {
      const stream = await begin(face, region);
      await stream.sendText!(data);
      await assert.rejects(stream.next(), (error) => {
        assert.ok(error instanceof RpcError);
        assert.equal(error.code, Status.INVALID_ARGUMENT);
        assert.match(error.message, text);
        return true;
      });
    }
    const stream = await begin(face, region);
    await stream.sendText!(new Uint8Array([1, 2]));
    await assert.rejects(stream.next(), /text messages/);
  } finally {
    await face.close();
  }
  assert.deepEqual(region.errors, []);
});

Deno.test("an event that is too long ends a gRPC stream, a replayed beginning opens another one", async () => {
  const region = testRegion();
  const { server, address } = await region.grpcServer();
  const face = grpcFaceAt(address);
  const given = await cookies(region);
  try {
    const stream = await begin(face, region);
    await stream.send({ eventType: Client.EVENT_CUSTOM_EVENT, tags: { Buffer: "\0".repeat(300_000) } });
    await assert.rejects(
      stream.next(),
      (error) => error instanceof RpcError && error.code === Status.RESOURCE_EXHAUSTED,
    );
    // A cookie proves an instance that was given, not a stream: whoever holds it may have both.
    for (let i = 0; i < 2; i++) {
      assert.equal((await (await face.open(init(given))).next())?.eventType, Server.EVENT_INIT_CONNECTION);
    }
    assert.equal(region.edge.open, 2);
  } finally {
    await face.close();
    await server.close();
  }
});
