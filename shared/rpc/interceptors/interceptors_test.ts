import assert from "node:assert/strict";
import { bench, collect, until } from "../conformance/harness.ts";
import { failure } from "../conformance/calls.ts";
import { RpcError } from "../error.ts";
import { h2ClientTransport, h2ServerTransport } from "../h2/mod.ts";
import { Status } from "../status.ts";
import { authenticate } from "./authenticate.ts";
import { type CallRecord, logCalls } from "./log_calls.ts";
import { mapErrors } from "./map_errors.ts";
import { traceClient, traceServer } from "./trace.ts";

const transports = { server: h2ServerTransport, client: h2ClientTransport };

Deno.test("authenticate hands on who calls, and keeps to itself why it does not know", async () => {
  await using b = await bench(transports, { unary: (_request, { peer }) => `${peer.identity}` }, {
    interceptors: [authenticate((_peer, { metadata }) => {
      const name = metadata.get("x-name");
      if (name === "denied") throw new RpcError(Status.PERMISSION_DENIED, "Not you");
      if (name === undefined) throw new Error("the secret reason");
      return name;
    })],
  });
  assert.equal(await b.echo.unary("", { metadata: { "x-name": "ada" } }), "ada");
  assert.equal((await failure(b.echo.unary("", { metadata: { "x-name": "denied" } }))).code, Status.PERMISSION_DENIED);
  const unknown = await failure(b.echo.unary(""));
  assert.equal(unknown.code, Status.UNAUTHENTICATED);
  assert.doesNotMatch(unknown.message, /secret/);
});

Deno.test("mapErrors gives foreign errors their status and leaves the others", async () => {
  await using b = await bench(transports, {
    unary(request) {
      throw request === "range" ? new RangeError("too far") : new RpcError(Status.ABORTED, "as it is");
    },
  }, {
    interceptors: [
      mapErrors((error) => error instanceof RangeError ? new RpcError(Status.OUT_OF_RANGE, error.message) : undefined),
    ],
  });
  const mapped = await failure(b.echo.unary("range"));
  assert.deepEqual([mapped.code, mapped.message], [Status.OUT_OF_RANGE, "too far"]);
  assert.equal((await failure(b.echo.unary("other"))).code, Status.ABORTED);
});

Deno.test("logCalls tells of every call once, with the private reason of a failure", async () => {
  const records: CallRecord[] = [];
  await using b = await bench(transports, {
    unary(request) {
      if (request === "fail") throw new Error("inside");
      return request;
    },
    async *download() {
      yield "one";
      throw new RpcError(Status.NOT_FOUND, "no more");
    },
  }, { interceptors: [logCalls((record) => void records.push(record))] });
  await b.echo.unary("x");
  await failure(b.echo.unary("fail"));
  await failure(collect(b.echo.download("")));
  await until(() => records.length === 3, "all calls are told of");
  assert.deepEqual(records.map(({ method, code, message }) => [method, code, message]), [
    ["/test.Echo/Unary", Status.OK, ""],
    ["/test.Echo/Unary", Status.INTERNAL, "Internal error"],
    ["/test.Echo/Download", Status.NOT_FOUND, "no more"],
  ]);
  assert.match(String(records[1]!.cause), /inside/);
  for (const { durationMs, peer } of records) assert.ok(durationMs >= 0 && peer.port > 0);
});

Deno.test("a trace crosses the call, and spans end with its status on both sides", async () => {
  const events: string[] = [];
  let inside = "";
  const span = (side: string, traceparent?: string) => ({
    traceparent,
    async run<T>(body: () => Promise<T>): Promise<T> {
      inside = side;
      try {
        return await body();
      } finally {
        inside = "";
      }
    },
    end: (code: Status, error?: RpcError) => void events.push(`${side} ends ${code} ${error?.message ?? ""}`.trim()),
  });
  await using b = await bench(
    transports,
    {
      unary(request) {
        assert.equal(inside, "server");
        if (request === "fail") throw new RpcError(Status.ABORTED, "asked for");
        return request;
      },
    },
    {
      interceptors: [traceServer({
        start(_context, traceparent) {
          events.push(`server starts in ${traceparent}`);
          return span("server");
        },
      })],
    },
    {},
    { interceptors: [traceClient({ start: () => span("client", "00-trace-span-01") })] },
  );
  await b.echo.unary("x");
  await failure(b.echo.unary("fail"));
  assert.deepEqual(events, [
    "server starts in 00-trace-span-01",
    "server ends 0",
    "client ends 0",
    "server starts in 00-trace-span-01",
    "server ends 10 asked for",
    "client ends 10 asked for",
  ]);
});
