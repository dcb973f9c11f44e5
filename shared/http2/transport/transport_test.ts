import assert from "node:assert/strict";
import { connect } from "../client.ts";
import { HELLO } from "../testing/frames.ts";
import { serve } from "../server.ts";
import type { Http2Stream } from "../stream_face.ts";
import { type Authority, createAuthority, type Identity } from "../testing/certificates.ts";
import { request } from "../testing/frames.ts";
import { until } from "../testing/raw_peer.ts";
import { connectTcp, connectTls } from "./deno_connect.ts";
import { listenTcp, listenTls } from "./deno_listen.ts";
import { connectNodeTls, listenGuardedTls, listenMutualTls } from "./node_tls.ts";
import type { Listener, PeerInfo, Transport } from "./types.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

function echo(stream: Http2Stream): void {
  stream.collect(1 << 24, (error, body) => {
    if (error === null) stream.respondWhole([[":status", "200"]], body, new Uint8Array(0), [["x-end", "1"]]);
  });
}

/** Serves on a listener and calls it by a transport: a small body and one of a megabyte. Returns what the server saw. */
async function call(listener: Listener, dial: (port: number) => Promise<Transport>): Promise<PeerInfo> {
  let seen: PeerInfo | null = null;
  const server = serve(listener, {
    handler(stream) {
      seen = stream.peer;
      echo(stream);
    },
  });
  const client = connect(await dial(server.address.port));
  for (const size of [3, 1_000_000]) {
    const stream = client.open(request());
    const body = Uint8Array.from({ length: size }, (_, at) => at * 31);
    stream.end(body);
    assert.deepEqual(await stream.readAll(1 << 24), body);
    assert.deepEqual(stream.trailers, [["x-end", "1"]]);
  }
  await client.shutdown();
  await server.shutdown();
  return seen!;
}

let authority: Promise<Authority> | undefined;
const ourAuthority = () => authority ??= createAuthority("ours");

async function identities(): Promise<{ ca: string; server: Identity; client: Identity }> {
  const ours = await ourAuthority();
  return {
    ca: ours.ca,
    server: await ours.issue("server"),
    client: await ours.issue("client", "spiffe://test/region/r1/service/dme"),
  };
}

Deno.test("TCP carries calls and says who called", async () => {
  const peer = await call(listenTcp(LOCAL), (port) => connectTcp({ hostname: "127.0.0.1", port }));
  assert.equal(peer.transport, "tcp");
  assert.equal(peer.remoteAddress?.hostname, "127.0.0.1");
  assert.equal(peer.certificate, null);
});

Deno.test("TLS carries calls and agrees on h2", async () => {
  const { ca, server } = await identities();
  for (const listener of [listenTls({ ...LOCAL, ...server }), await listenGuardedTls({ ...LOCAL, ...server })]) {
    const peer = await call(listener, (port) => connectTls({ hostname: "localhost", port, caCerts: [ca] }));
    assert.deepEqual([peer.transport, peer.alpn, peer.certificate], ["tls", "h2", null]);
  }
});

Deno.test("mutual TLS hands up the client's certificate, from both kinds of client", async () => {
  const { ca, server, client } = await identities();
  const dials: ((port: number) => Promise<Transport>)[] = [
    (port) => connectTls({ hostname: "localhost", port, caCerts: [ca], ...client }),
    (port) => connectNodeTls({ hostname: "127.0.0.1", port, ca: [ca], ...client }),
  ];
  for (const dial of dials) {
    const peer = await call(await listenMutualTls({ ...LOCAL, ...server, ca: [ca] }), dial);
    assert.deepEqual([peer.alpn, peer.certificate?.verified], ["h2", true]);
    const der = new TextDecoder("latin1").decode(peer.certificate!.chain[0]!);
    assert.ok(der.includes("spiffe://test/region/r1/service/dme"));
  }
});

Deno.test("mutual TLS refuses clients without a certificate and with a stranger's", async () => {
  const { ca, server } = await identities();
  const stranger = await (await createAuthority("stranger")).issue("client");
  const http2 = serve(await listenMutualTls({ ...LOCAL, ...server, ca: [ca] }), { handler: echo });
  const { port } = http2.address;
  const tries = [
    () => connectTls({ hostname: "localhost", port, caCerts: [ca] }),
    () => connectTls({ hostname: "localhost", port, caCerts: [ca], ...stranger }),
    () => connectNodeTls({ hostname: "127.0.0.1", port, ca: [ca] }),
    () => connectNodeTls({ hostname: "127.0.0.1", port, ca: [ca], ...stranger }),
  ];
  for (const dial of tries) {
    await assert.rejects(async () => {
      const client = connect(await dial()); // TLS 1.3 tells the client only after its handshake.
      try {
        await client.ready;
      } finally {
        client.close();
      }
    });
  }
  http2.close();
});

Deno.test("a client refuses a server of a stranger, of another name, or that its own check does not like", async () => {
  const { ca, server } = await identities();
  const stranger = await createAuthority("stranger");
  const http2 = serve(listenTls({ ...LOCAL, ...server }), { handler: echo });
  const { port } = http2.address;
  await assert.rejects(connectTls({ hostname: "localhost", port, caCerts: [stranger.ca] }));
  await assert.rejects(connectNodeTls({ hostname: "127.0.0.1", port, ca: [stranger.ca] }));
  await assert.rejects(connectNodeTls({ hostname: "127.0.0.1", port, ca: [ca], serverName: "other.example" }));
  const chains: number[] = [];
  await assert.rejects(
    connectNodeTls({
      hostname: "127.0.0.1",
      port,
      ca: [ca],
      checkServer(chain) {
        chains.push(chain.length);
        return new Error("not the one");
      },
    }),
    /not the one/,
  );
  assert.ok(chains[0]! >= 1);
  http2.close();
});

Deno.test("a certificate can be renewed while connections live", async () => {
  const ours = await ourAuthority();
  const first = await ours.issue("first");
  const second = await ours.issue("second");
  const listeners = [
    listenTls({ ...LOCAL, ...first }),
    await listenGuardedTls({ ...LOCAL, ...first }),
    await listenMutualTls({ ...LOCAL, ...first, ca: [ours.ca] }),
  ];
  for (const listener of listeners) {
    const server = serve(listener, { handler: echo });
    const identity = await ours.issue("client");
    const dial = () => connectNodeTls({ hostname: "127.0.0.1", port: server.address.port, ca: [ours.ca], ...identity });
    const name = (transport: Transport) => new TextDecoder("latin1").decode(transport.peer.certificate!.chain[0]!);
    const before = await dial();
    assert.ok(name(before).includes("first"));
    const client = connect(before);
    await client.ready;
    await assert.rejects(listener.renew({ cert: "no certificate", key: "no key" }));
    await listener.renew(second);
    const after = await dial();
    assert.ok(name(after).includes("second"));
    after.close();
    const stream = client.open(request());
    stream.end(new Uint8Array(3));
    assert.equal((await stream.readAll(10)).length, 3);
    client.close();
    server.close();
  }
});

async function readAll(connection: Deno.Conn): Promise<string> {
  const parts: string[] = [];
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return parts.join("");
    parts.push(new TextDecoder("latin1").decode(buffer.subarray(0, count)));
  }
}

Deno.test("a client of HTTP/1.1 gets a 400 over TCP and TLS", async () => {
  const { ca, server: identity } = await identities();
  for (const listener of [listenTcp(LOCAL), listenTls({ ...LOCAL, ...identity })]) {
    const server = serve(listener, { handler: echo });
    const { port } = server.address;
    const connection = listener.address.port === port && "renew" in listener
      ? await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca], alpnProtocols: ["http/1.1"] })
      : await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("POST /a.B/C HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert.match(
      await readAll(connection),
      /^HTTP\/1\.1 400 Bad Request\r\n(.+\r\n)+\r\nThis port speaks HTTP\/2 only\.\n$/,
    );
    connection.close();
    server.close();
  }
});

Deno.test("plain text on a TLS port, TLS on a plain one, and half a handshake end their connections alone", async () => {
  const { ca, server: identity } = await identities();
  for (const kind of ["lean", "guarded"] as const) {
    const options = { ...LOCAL, ...identity, handshakeTimeoutMs: 1_000 };
    const server = serve(kind === "lean" ? listenTls(options) : await listenGuardedTls(options), {
      handler: echo,
      limits: { handshakeTimeoutMs: 1_000 },
    });
    const { port } = server.address;
    const innocent = connect(await connectTls({ hostname: "localhost", port, caCerts: [ca] }));
    await innocent.ready;

    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    await plain.write(HELLO);
    await readAll(plain);
    plain.close();

    const silent = await Deno.connect({ hostname: "127.0.0.1", port });
    await silent.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00)); // The head of a ClientHello that never comes.
    // The lean kind forgets the connection, but the runtime lets its socket go with the client only.
    if (kind === "guarded") assert.equal(await readAll(silent), "");
    await until(() => server.stats().connections === 1, "the others to be forgotten");
    silent.close();

    const stream = innocent.open(request());
    stream.end(new Uint8Array(5));
    assert.equal((await stream.readAll(10)).length, 5);
    innocent.close();
    server.close();
  }
  const tcp = serve(listenTcp(LOCAL), { handler: echo });
  await assert.rejects(connectTls({ hostname: "localhost", port: tcp.address.port, caCerts: [ca] }));
  tcp.close();
});

Deno.test("nobody there, and an attempt given up, are errors of the attempt", async () => {
  const probe = Deno.listen(LOCAL);
  const { port } = probe.addr;
  probe.close();
  await assert.rejects(connectTcp({ hostname: "127.0.0.1", port }));
  await assert.rejects(connectTls({ hostname: "127.0.0.1", port }));
  await assert.rejects(connectNodeTls({ hostname: "127.0.0.1", port }));
  const deaf = Deno.listen(LOCAL); // Accepts, and says nothing.
  const gone = new AbortController();
  const attempts = [
    connectTls({ hostname: "127.0.0.1", port: deaf.addr.port, signal: gone.signal }),
    connectNodeTls({ hostname: "127.0.0.1", port: deaf.addr.port, signal: gone.signal }),
  ].map((attempt) => assert.rejects(attempt));
  const held = [await deaf.accept(), await deaf.accept()];
  gone.abort(new Error("given up"));
  await Promise.all(attempts);
  for (const connection of held) connection.close();
  deaf.close();
});

Deno.test("a connection whose server dies without a word ends its streams", async () => {
  const listener = Deno.listen(LOCAL);
  const accepted = listener.accept();
  const client = connect(await connectTcp({ hostname: "127.0.0.1", port: listener.addr.port }));
  const stream = client.open(request());
  (await accepted).close();
  await assert.rejects(stream.response());
  await until(() => client.state === "closed", "the connection to end");
  listener.close();
});
