import assert from "node:assert/strict";
import { createClient } from "../client.ts";
import { addHealth, HealthService, ServingStatus } from "../health.ts";
import { authenticate } from "../interceptors/authenticate.ts";
import { Status } from "../status.ts";
import { failure } from "./calls.ts";
import { createAuthority, uriOf } from "./certificates.ts";
import { bench, Echo, type Transports, WAIT_MS } from "./harness.ts";

/** Mutual TLS, identities, renewal, health. */
export function tlsTests(name: string, transports: Transports): void {
  const run = (what: string, body: () => Promise<void>): void => Deno.test(`${name}: ${what}`, body);
  const options = { timeoutMs: WAIT_MS };

  run("mutual TLS hands the verified chain to handlers, and refuses rogue and missing certificates", async () => {
    const ours = await createAuthority("ours");
    const rogue = await createAuthority("rogue");
    const [server, client, stranger] = await Promise.all([
      ours.issue("spiffe://test/server"),
      ours.issue("spiffe://test/client"),
      rogue.issue("spiffe://test/client"),
    ]);
    await using b = await bench(transports, {
      unary: (_request, { peer }) => `${peer.identity} ${peer.certificates?.length} ${peer.address} ${peer.port > 0}`,
    }, {
      tls: { ...server, ca: ours.ca },
      interceptors: [authenticate((peer) => uriOf(peer.certificates![0]!))],
    }, { tls: { ...client, ca: ours.ca } });
    assert.match(await b.echo.unary("x"), /^spiffe:\/\/test\/client [23] 127\.0\.0\.1 true$/);
    const missing = b.connect({ tls: { ca: ours.ca } });
    assert.equal((await failure(createClient(Echo, missing).unary("x", options))).code, Status.UNAVAILABLE);
    const forged = b.connect({ tls: { ...stranger, ca: ours.ca } });
    assert.equal((await failure(createClient(Echo, forged).unary("x", options))).code, Status.UNAVAILABLE);
    const mistrusting = b.connect({ tls: { ...client, ca: rogue.ca } });
    assert.equal((await failure(createClient(Echo, mistrusting).unary("x", options))).code, Status.UNAVAILABLE);
    const plaintext = b.connect({});
    assert.equal((await failure(createClient(Echo, plaintext).unary("x", options))).code, Status.UNAVAILABLE);
  });

  run("the client judges the server by its chain instead of its host name", async () => {
    const ours = await createAuthority("ours");
    const server = await ours.issue("spiffe://test/server");
    await using b = await bench(transports, { unary: (request) => request }, { tls: server }, {
      tls: {
        ca: ours.ca,
        serverName: "name.in.no.certificate",
        verifyPeer: (chain) => assert.equal(uriOf(chain[0]!), "spiffe://test/server"),
      },
    });
    assert.equal(await b.echo.unary("x"), "x");
    const refusing = b.connect({
      tls: {
        ca: ours.ca,
        verifyPeer: () => {
          throw new Error("not whom I want");
        },
      },
    });
    assert.equal((await failure(createClient(Echo, refusing).unary("x", options))).code, Status.UNAVAILABLE);
    const byName = b.connect({ tls: { ca: ours.ca, serverName: "name.in.no.certificate" } });
    assert.equal((await failure(createClient(Echo, byName).unary("x", options))).code, Status.UNAVAILABLE);
    const byRightName = b.connect({ tls: { ca: ours.ca, serverName: "localhost" } });
    assert.equal(await createClient(Echo, byRightName).unary("x", options), "x");
  });

  run("a server without client certificates knows no chain", async () => {
    const ours = await createAuthority("ours");
    const server = await ours.issue("spiffe://test/server");
    await using b = await bench(
      transports,
      {
        unary: (_request, { peer }) => `${peer.certificates}`,
      },
      { tls: server },
      { tls: { ca: ours.ca } },
    );
    assert.equal(await b.echo.unary("x"), "undefined");
  });

  run("certificates are renewed on both sides without cutting what runs", async () => {
    const ours = await createAuthority("ours");
    const [server, server2, client, client2] = await Promise.all(
      ["server", "server2", "client", "client2"].map((who) => ours.issue(`spiffe://test/${who}`)),
    );
    const seen: string[] = [];
    const go = Promise.withResolvers<void>();
    await using b = await bench(
      transports,
      {
        unary: (_request, { peer }) => uriOf(peer.certificates![0]!) ?? "",
        async *download() {
          yield "one";
          await go.promise;
          yield "two";
        },
      },
      { tls: { ...server!, ca: ours.ca } },
      {
        tls: { ...client!, ca: ours.ca, verifyPeer: (chain) => void seen.push(uriOf(chain[0]!) ?? "") },
      },
    );
    const running = b.echo.download("")[Symbol.asyncIterator]();
    assert.deepEqual(await running.next(), { done: false, value: "one" });
    b.server.updateTls({ ...server2!, ca: ours.ca });
    b.channel.updateTls({ ...client2!, ca: ours.ca, verifyPeer: (chain) => void seen.push(uriOf(chain[0]!) ?? "") });
    assert.equal(await b.echo.unary("x"), "spiffe://test/client2");
    assert.deepEqual(seen, ["spiffe://test/server", "spiffe://test/server2"]);
    go.resolve();
    assert.deepEqual(await running.next(), { done: false, value: "two" });
    assert.deepEqual(await running.next(), { done: true, value: undefined });
  });

  run("health tells the state of services and its changes", async () => {
    await using b = await bench(transports, {});
    const health = addHealth(b.server);
    const client = createClient(HealthService, b.channel, options);
    assert.deepEqual(await client.check({ service: "" }), { status: ServingStatus.SERVING });
    assert.equal((await failure(client.check({ service: "x" }))).code, Status.NOT_FOUND);
    const changes: number[] = [];
    for await (const { status } of client.watch({ service: "x" })) {
      changes.push(status);
      if (changes.length === 1) health.set("x", true);
      if (changes.length === 2) health.set("x", false);
      if (changes.length === 3) break;
    }
    assert.deepEqual(changes, [ServingStatus.SERVICE_UNKNOWN, ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
  });
}
