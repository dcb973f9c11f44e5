import assert from "node:assert/strict";
import http2 from "node:http2";
import { echo, startEverywhere } from "./http2_service.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";

async function output(command: string, args: string[], stdin?: Uint8Array): Promise<string> {
  const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  if (stdin !== undefined) await writer.write(stdin).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await child.output();
  return new TextDecoder("latin1").decode(stdout) + new TextDecoder("latin1").decode(stderr);
}

Deno.test("curl speaks HTTP/2 with shared/http2, with small and large bodies", { ignore }, async () => {
  const body = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251);
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, body);
  for (const { tls, server, url } of await startEverywhere()) {
    const version = tls ? ["--http2", "--insecure"] : ["--http2-prior-knowledge"];
    const small = await output("curl", ["-s", "-v", ...version, `${url}/a`]);
    assert.match(small, /hello from http2/);
    assert.match(small, /< HTTP\/2 200/);
    const large = await output("curl", ["-s", ...version, "--data-binary", `@${file}`, `${url}/a`]);
    assert.equal(large.length, body.length);
    assert.equal(large, new TextDecoder("latin1").decode(body));
    const old = await output("curl", ["-s", "-i", "--insecure", "--http1.1", `${url}/a`]);
    assert.match(old, /^HTTP\/1\.1 400 Bad Request/);
    server.close();
  }
  await Deno.remove(file);
});

Deno.test("h2load and nghttp lose no call on shared/http2", { ignore }, async () => {
  for (const { server, url } of await startEverywhere()) {
    const load = await output("h2load", ["-n", "20000", "-c", "20", "-m", "50", `${url}/a`]);
    assert.match(load, /20000 succeeded, 0 failed, 0 errored/);
    const one = await output("nghttp", ["-v", "--no-verify-peer", `${url}/a`]);
    assert.match(one, /grpc-status: 0/);
    assert.match(one, /hello from http2/);
    server.close();
  }
});

Deno.test("clients killed in the middle leave nothing behind", { ignore }, async () => {
  for (const { server, url } of await startEverywhere()) {
    for (let round = 0; round < 5; round++) {
      const child = new Deno.Command("h2load", {
        args: ["-n", "1000000", "-c", "8", "-m", "50", `${url}/a`],
        stdout: "null",
        stderr: "null",
      }).spawn();
      const deadline = performance.now() + 30_000;
      while (server.stats().connections < 8 && performance.now() < deadline) {
        await new Promise((go) => setTimeout(go, 5));
      }
      child.kill("SIGKILL");
      await child.status;
    }
    const deadline = performance.now() + 30_000;
    while (server.stats().connections > 0 && performance.now() < deadline) await new Promise((go) => setTimeout(go, 5));
    assert.deepEqual(server.stats(), { connections: 0, streams: 0, heldBytes: 0 });
    server.close();
  }
});

Deno.test("the runtime's own HTTP/2 client calls shared/http2", { ignore }, async () => {
  const [tcp, ...others] = await startEverywhere(echo);
  for (const { server } of others) server.close();
  const session = http2.connect(tcp!.url);
  for (const size of [1, 700, 300_000]) {
    const answer = await new Promise<{ status: number; body: number; trailer: string }>((resolve, reject) => {
      const call = session.request({ ":method": "POST", ":path": "/a", te: "trailers" });
      let status = 0;
      let body = 0;
      let trailer = "";
      call.on("response", (headers) => status = Number(headers[":status"]));
      call.on("trailers", (headers) => trailer = String(headers["grpc-status"]));
      call.on("data", (bytes: Uint8Array) => body += bytes.length);
      call.on("end", () => resolve({ status, body, trailer }));
      call.on("error", reject);
      call.end(new Uint8Array(size));
    });
    assert.deepEqual(answer, { status: 200, body: size, trailer: "0" });
  }
  await new Promise<void>((resolve) => session.close(() => resolve()));
  tcp!.server.close();
});
