import assert from "node:assert/strict";
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
