import assert from "node:assert/strict";
import { createClient } from "../client.ts";
import { bench, collect, Echo, type Transports, WAIT_MS } from "./harness.ts";
import { countingRelay } from "./relay.ts";

const LENGTH = 400_000;
/** Text of so many bytes that gzip makes a hundredth of. */
const LONG = "compress me ".repeat(LENGTH / 12).padEnd(LENGTH);
/** More than the compressed text and all of a call's frames. */
const FEW_BYTES = 40_000;

async function* several(): AsyncGenerator<string> {
  for (const each of [LONG, "short", LONG]) yield each;
}

/** Compression: messages arrive whole whoever compresses, and are small on the way where the transport can. */
export function compressionTests(name: string, transports: Transports): void {
  const run = (what: string, body: () => Promise<void>): void => Deno.test(`${name}: ${what}`, body);
  const { serverNeverCompresses = false, clientNeverCompresses = false } = transports;

  function passed(bytes: number, compressed: boolean): void {
    if (compressed) assert.ok(bytes < FEW_BYTES, `${bytes} bytes passed`);
    else assert.ok(bytes > LENGTH, `${bytes} bytes passed`);
  }

  run("requests are compressed when the client says so", async () => {
    await using b = await bench(transports, {
      unary: (request) => `${request === LONG}`,
      upload: async (requests) =>
        `${(await collect(requests)).every((request) => request === LONG || request === "short")}`,
    });
    const [hostname, port] = b.address.split(":");
    const relay = countingRelay({ hostname: hostname!, port: Number(port) });
    const channel = b.connect({ address: relay.address });
    try {
      const client = createClient(Echo, channel, { timeoutMs: WAIT_MS, compress: true });
      assert.equal(await client.unary(LONG), "true");
      assert.equal(await client.upload(several()), "true");
      passed(relay.sent.toServer, !clientNeverCompresses);
      assert.equal(await client.unary(LONG, { compress: false }), "true");
      passed(relay.sent.toServer, false);
    } finally {
      relay.close();
    }
  });

  run("responses are compressed when server or handler says so", async () => {
    await using b = await bench(transports, {
      unary(request, context) {
        if (request === "plain") context.compress = false;
        return LONG;
      },
      async *download(_request, context) {
        yield LONG;
        context.compress = false;
        yield "short";
        context.compress = true;
        yield LONG;
      },
    }, { compress: true });
    const [hostname, port] = b.address.split(":");
    const relay = countingRelay({ hostname: hostname!, port: Number(port) });
    const channel = b.connect({ address: relay.address });
    try {
      const client = createClient(Echo, channel, { timeoutMs: WAIT_MS });
      assert.equal(await client.unary(""), LONG);
      assert.deepEqual(await collect(client.download("")), [LONG, "short", LONG]);
      passed(relay.sent.toClient, !serverNeverCompresses);
      assert.equal(await client.unary("plain"), LONG);
      passed(relay.sent.toClient, false);
    } finally {
      relay.close();
    }
  });
}
