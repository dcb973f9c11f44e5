import assert from "node:assert/strict";
import http2 from "node:http2";
import { serveHttp } from "./mod.ts";

Deno.test("serveHttp answers, tells who asked, and drains a running request", async () => {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const listener = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    async handler(request, peer) {
      assert.equal(peer.address, "127.0.0.1");
      if (new URL(request.url).pathname === "/slow") {
        entered.resolve();
        await gate.promise;
      }
      return new Response("done");
    },
  });
  assert.equal(await (await fetch(listener.url)).text(), "done");
  const slow = fetch(`${listener.url}/slow`).then((response) => response.text());
  await entered.promise;
  const drained = listener.drain(30_000);
  gate.resolve();
  assert.equal(await slow, "done");
  await drained;
  await assert.rejects(fetch(listener.url));
});

Deno.test("drain returns after the grace time though a request is stuck", async () => {
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<Response>();
  const listener = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    handler: () => {
      entered.resolve();
      return gate.promise;
    },
  });
  const stuck = fetch(listener.url);
  await entered.promise;
  await listener.drain(20);
  gate.resolve(new Response("late"));
  assert.equal(await (await stuck).text(), "late");
});

Deno.test("a taken port is an error that names it, and a throwing handler a 500", async () => {
  const options = {
    hostname: "127.0.0.1",
    handler: () => {
      throw new Error("secret detail");
    },
  };
  const listener = await serveHttp({ ...options, port: 0 });
  await assert.rejects(
    serveHttp({ ...options, port: listener.port }),
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${listener.port}: the port is taken`),
  );
  const response = await fetch(listener.url);
  assert.deepEqual([response.status, await response.text()], [500, ""]);
  await listener.close();
});

Deno.test("an answer arrives over HTTP/2 though the handler did not read the body", async () => {
  const listener = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    handler: () => new Response("no such thing", { status: 404 }),
  });
  const session = http2.connect(listener.url);
  try {
    for (const size of [2, 3_000_000]) {
      for (let round = 0; round < 10; round++) {
        assert.deepEqual(await post(session, new Uint8Array(size)), [404, "no such thing"]);
      }
    }
  } finally {
    session.destroy();
    await listener.close();
  }
});

/** Status and text of the answer; rejects when the stream is reset. */
function post(session: http2.ClientHttp2Session, body: Uint8Array): Promise<[number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  const stream = session.request({ ":method": "POST", ":path": "/" });
  let status = 0;
  let text = "";
  stream.on("response", (headers) => status = Number(headers[":status"]));
  stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
  stream.on("error", reject);
  stream.on("close", () => {
    if (stream.rstCode === 0) resolve([status, text]);
    else reject(new Error(`The stream was reset with ${stream.rstCode}`));
  });
  stream.setTimeout(30_000, () => stream.close(http2.constants.NGHTTP2_CANCEL));
  stream.end(body);
  return promise;
}
