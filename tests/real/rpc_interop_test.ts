import assert from "node:assert/strict";
import { join } from "node:path";
import { createAuthority } from "../../shared/rpc/conformance/certificates.ts";
import { countingRelay } from "../../shared/rpc/conformance/relay.ts";
import { addHealth, addReflection, createChannel, createClient, createServer } from "../../shared/rpc/mod.ts";
import { dme, fileDescriptors } from "../../shared/schema/mod.ts";
import { ourCases } from "./interop/our_client.ts";
import { testHandlers, TestService } from "./interop/test_service.ts";
import { findGo, findJava, findPython, type Found, run, startGoServer } from "./interop/tools.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";

/** The cases that need no credentials of a cloud, and that both grpc-go's and grpc-java's client have. */
const CASES = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "timeout_on_sleeping_server",
  "cancel_after_begin",
  "cancel_after_first_response",
  "status_code_and_message",
  "special_status_message",
  "custom_metadata",
  "unimplemented_method",
  "unimplemented_service",
  "pick_first_unary",
  "rpc_soak",
  "channel_soak",
];
/** Cases of which grpc-go's client knows nothing. */
const COMPRESSION_CASES = [
  "client_compressed_unary",
  "server_compressed_unary",
  "client_compressed_streaming",
  "server_compressed_streaming",
];
/** The soaks measure nothing here: other work may hold this machine up. */
const SOAK = [
  "soak_iterations=20",
  "soak_overall_timeout_seconds=60",
  "soak_per_iteration_max_acceptable_latency_ms=30000",
];

/** Less than any message in these tests that is not compressed, and more than a call with one that is. */
const FEW_BYTES = 60_000;

interface Port extends AsyncDisposable {
  readonly port: number;
  /** Roots of the certificate, as a file. */
  readonly caFile: string;
  readonly ca: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The test service of ours on a port, with a certificate that is used when `tls` is set. */
async function serveTests(tls: boolean): Promise<Port> {
  const authority = await createAuthority("interop");
  const identity = await authority.issue("spiffe://interop/server");
  const folder = await Deno.makeTempDir({ prefix: "interop-" });
  const [caFile, certFile, keyFile] = ["ca.pem", "cert.pem", "key.pem"].map((name) => join(folder, name));
  await Deno.writeTextFile(caFile!, authority.ca);
  await Deno.writeTextFile(certFile!, identity.cert);
  await Deno.writeTextFile(keyFile!, identity.key);
  const server = createServer({ tls: tls ? identity : undefined });
  server.addService(TestService, testHandlers);
  server.addService(dme.MatchEngineApi, {
    registerClient: ({ orgName }) => dme.RegisterClientReply.create({ sessionCookie: `for ${orgName}` }),
  });
  addHealth(server);
  addReflection(server, fileDescriptors);
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    port,
    caFile: caFile!,
    certFile: certFile!,
    keyFile: keyFile!,
    ca: authority.ca,
    async [Symbol.asyncDispose]() {
      await server.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What has been looked for, so that a build that fails is not tried again for every test. */
const tools = new Map<() => Promise<Found<unknown>>, Promise<Found<unknown>>>();

/** A test that has a tool or says why it is left out. */
function withTool<T>(
  name: string,
  find: () => Promise<Found<T>>,
  body: (tool: T, t: Deno.TestContext) => Promise<void>,
) {
  Deno.test(name, { ignore }, async (t) => {
    const looked = tools.get(find) as Promise<Found<T>> | undefined ?? find();
    tools.set(find, looked);
    const found = await looked;
    if (found.missing === undefined) await body(found.tool, t);
    else await t.step({ name: `left out: ${found.missing}`, ignore: true, fn() {} });
  });
}

async function succeeds(command: string, args: string[]): Promise<string> {
  const { ok, output } = await run(command, args, { limitMs: 120_000 });
  assert.ok(ok, `${command} ${args.slice(-6).join(" ")} failed:\n${output.slice(-3_000)}`);
  return output;
}

for (const tls of [false, true]) {
  const over = tls ? "TLS" : "plaintext";

  withTool(`grpc-go's interoperability client calls our server over ${over}`, findGo, async ({ client }, t) => {
    await using served = await serveTests(tls);
    const security = [`--use_tls=${tls}`, "--use_test_ca", `--ca_file=${served.caFile}`];
    const where = ["--server_host=127.0.0.1", "--server_host_override=localhost", `--server_port=${served.port}`];
    for (const name of CASES) {
      await t.step(name, async () => {
        await succeeds(client, [...security, ...where, ...SOAK.map((flag) => `--${flag}`), `--test_case=${name}`]);
      });
    }
  });

  withTool(`our client calls grpc-go's test service over ${over}`, findGo, async ({ server }, t) => {
    await using files = await serveTests(tls);
    await using go = await startGoServer(server, tls ? files : undefined);
    const security = tls ? { ca: files.ca } : undefined;
    const channel = createChannel({ address: `localhost:${go.port}`, tls: security });
    try {
      for (const [name, call] of Object.entries(ourCases)) await t.step(name, () => call(channel));
      await t.step("channel_soak", async () => {
        for (let round = 0; round < 20; round++) {
          const one = createChannel({ address: `localhost:${go.port}`, tls: security });
          await ourCases.large_unary!(one);
          one.close();
        }
      });
    } finally {
      channel.close();
    }
  });

  withTool(`gRPC's C core calls our server over ${over}`, findPython, async (python) => {
    await using served = await serveTests(tls);
    const script = new URL("interop/ccore_client.py", import.meta.url).pathname;
    await succeeds(python, [script, String(served.port), ...(tls ? ["--ca", served.caFile] : [])]);
  });

  Deno.test(`curl calls our server over ${over}`, { ignore }, async (t) => {
    const { output: version } = await run("curl", ["--version"]).catch(() => ({ output: "" }));
    if (!version.includes("HTTP2")) {
      return void await t.step({ name: "left out: there is no curl with HTTP/2", ignore: true, fn() {} });
    }
    await using served = await serveTests(tls);
    const { unaryCall } = TestService.methods;
    const message = unaryCall.input.encode({ responseSize: 1_000, payload: { body: new Uint8Array(70_000) } });
    const body = new Uint8Array(5 + message.length);
    new DataView(body.buffer).setUint32(1, message.length);
    body.set(message, 5);
    const folder = await Deno.makeTempDir({ prefix: "interop-" });
    await Deno.writeFile(join(folder, "request"), body);
    const trailers = await succeeds("curl", [
      ...(tls ? ["--http2", "--cacert", served.caFile] : ["--http2-prior-knowledge"]),
      ...["--silent", "--verbose", "--max-time", "30", "--data-binary", `@${join(folder, "request")}`],
      ...["--header", "content-type: application/grpc", "--header", "te: trailers"],
      ...["--output", join(folder, "answer"), `${tls ? "https" : "http"}://localhost:${served.port}${unaryCall.path}`],
    ]);
    assert.match(trailers, /< HTTP\/2 200/);
    assert.match(trailers, /< grpc-status: 0/);
    const answer = await Deno.readFile(join(folder, "answer"));
    assert.deepEqual([...answer.subarray(0, 3)], [0, 0, 0]);
    assert.equal(unaryCall.output.decode(answer.subarray(5)).payload?.body?.length, 1_000);
    await Deno.remove(folder, { recursive: true });
  });
}

withTool("gRPC's C core and our server compress for each other", findPython, async (python) => {
  await using served = await serveTests(false);
  const relay = countingRelay({ hostname: "127.0.0.1", port: served.port });
  try {
    const script = new URL("interop/ccore_client.py", import.meta.url).pathname;
    await succeeds(python, [script, relay.address.split(":")[1]!, "--gzip"]);
    const { toServer, toClient } = relay.sent;
    assert.ok(toServer < FEW_BYTES, `${toServer} bytes of requests`);
    // One message of the stream is not to be compressed.
    assert.ok(toClient < 92_653 + FEW_BYTES, `${toClient} bytes of responses`);
  } finally {
    relay.close();
  }
});

withTool("our client and grpc-go's server compress for each other", findGo, async ({ server }) => {
  await using go = await startGoServer(server);
  const relay = countingRelay({ hostname: "127.0.0.1", port: go.port });
  const channel = createChannel({ address: relay.address });
  try {
    const client = createClient(TestService, channel, { timeoutMs: 30_000, compress: true });
    const request = { responseSize: 314_159, payload: { body: new Uint8Array(271_828) } };
    assert.equal((await client.unaryCall(request)).payload?.body?.length, 314_159);
    assert.ok(relay.sent.toServer < FEW_BYTES, `${relay.sent.toServer} bytes of requests`);
    assert.ok(relay.sent.toClient < FEW_BYTES, `${relay.sent.toClient} bytes of responses`);
  } finally {
    channel.close();
    relay.close();
  }
});

withTool("grpcurl reads our reflection and health, and calls by what it has read", findGo, async ({ grpcurl }) => {
  await using served = await serveTests(true);
  const at = ["-cacert", served.caFile];
  const port = `localhost:${served.port}`;
  const services = (await succeeds(grpcurl, [...at, port, "list"])).trim().split("\n");
  assert.ok(services.includes("distributed_match_engine.MatchEngineApi"), `listed: ${services}`);
  assert.ok(services.includes("grpc.health.v1.Health"), `listed: ${services}`);
  const described = await succeeds(grpcurl, [...at, port, "describe", "distributed_match_engine.MatchEngineApi"]);
  assert.match(described, /rpc RegisterClient \( \.distributed_match_engine\.RegisterClientRequest \)/);
  for (const service of services.filter((name) => name !== TestService.name)) {
    assert.match(
      await succeeds(grpcurl, [...at, port, "describe", service]),
      new RegExp(`service .*{\\n  rpc `, "s"),
      service,
    );
  }
  const symbols = ["grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc.reflection.v1.ServerReflectionResponse"];
  for (const symbol of symbols) await succeeds(grpcurl, [...at, port, "describe", symbol]);
  const state = await succeeds(grpcurl, [...at, port, "grpc.health.v1.Health/Check"]);
  assert.match(state, /"status": "SERVING"/);
  const method = "distributed_match_engine.MatchEngineApi/RegisterClient";
  const reply = await succeeds(grpcurl, [...at, "-d", '{"org_name":"acme"}', port, method]);
  assert.match(reply, /"sessionCookie": "for acme"/);
  const hidden = await run(grpcurl, [...at, port, "describe", "archipelago.AppApi"]);
  assert.ok(!hidden.ok, "what is not served must not be described");
});

withTool("grpc-java's interoperability client calls our server", findJava, async (classPath, t) => {
  await using plain = await serveTests(false);
  await using secure = await serveTests(true);
  const store = join(await Deno.makeTempDir({ prefix: "interop-" }), "trust.p12");
  const password = "changeit";
  await succeeds("keytool", [
    ...["-importcert", "-noprompt", "-alias", "ca", "-file", secure.caFile],
    ...["-keystore", store, "-storetype", "PKCS12", "-storepass", password],
  ]);
  async function call(name: string, tls: boolean, okhttp: boolean): Promise<void> {
    await succeeds("java", [
      ...["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"],
      `-Djavax.net.ssl.trustStore=${store}`,
      `-Djavax.net.ssl.trustStorePassword=${password}`,
      ...["-cp", classPath, "io.grpc.testing.integration.TestServiceClient"],
      ...["--server_host=localhost", `--server_port=${(tls ? secure : plain).port}`],
      ...[`--use_tls=${tls}`, `--use_okhttp=${okhttp}`, ...SOAK.map((flag) => `--${flag}`), `--test_case=${name}`],
    ]);
  }
  // In this client's own version of it the one that is left out sleeps for five seconds.
  for (const name of [...CASES.filter((name) => name !== "pick_first_unary"), ...COMPRESSION_CASES]) {
    await t.step(`${name} by Netty over TLS`, () => call(name, true, false));
  }
  for (const name of ["large_unary", "server_compressed_streaming"]) {
    await t.step(`${name} by Netty over plaintext`, () => call(name, false, false));
    await t.step(`${name} by OkHttp over TLS`, () => call(name, true, true));
  }
  await Deno.remove(join(store, ".."), { recursive: true });
});
