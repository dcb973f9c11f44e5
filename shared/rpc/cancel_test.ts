import assert from "node:assert/strict";
import { createChannel, createClient, createServer, type Method, rawBytes } from "./mod.ts";

type Stream = Method<Uint8Array, Uint8Array> & { readonly requestStream: false; readonly responseStream: true };
/** Any number of messages, so many that thousands are on their way when the reader leaves. */
const MESSAGES = 20_000;
const stream: Stream = {
  path: "/test.Many/Stream",
  requestStream: false,
  responseStream: true,
  input: rawBytes,
  output: rawBytes,
};
const api = { name: "test.Many", methods: { stream } };

Deno.test("a reader that leaves a stream of many small messages keeps its connection, and the other calls on it", async () => {
  const server = createServer();
  server.addService(api, {
    async *stream() {
      for (let i = 0; i < MESSAGES; i++) yield new Uint8Array(100);
    },
  });
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const channel = createChannel({ address: `127.0.0.1:${port}` });
  const client = createClient(api, channel);
  try {
    for (let round = 0; round < 5; round++) {
      for await (const _ of client.stream(new Uint8Array())) break;
      let count = 0;
      for await (const _ of client.stream(new Uint8Array())) count++;
      assert.equal(count, MESSAGES);
    }
  } finally {
    channel.close();
    await server.close();
  }
});
