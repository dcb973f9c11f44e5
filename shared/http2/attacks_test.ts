import assert from "node:assert/strict";
import type { Http2Client } from "./client.ts";
import { ErrorCode, Flag, FrameType, SettingId } from "./core/constants.ts";
import { DEFAULT_LIMITS, type Http2Limits } from "./core/limits.ts";
import { HpackEncoder, PreparedHeaders } from "./hpack/mod.ts";
import type { Http2Stream } from "./stream_face.ts";
import { settle } from "./testing/fake_clock.ts";
import { concat, frame, HELLO, request, settings, u32 } from "./testing/frames.ts";
import { type RawPeer, until } from "./testing/raw_peer.ts";
import { startService, type TestService } from "./testing/service.ts";
import type { MemoryTransport } from "./transport/memory.ts";

/*
 * Each attack runs on one connection while another goes on calling. What it cost us is printed: how much of the attack was
 * taken before the end, the time that took, and the most that was held for it. The clock stands, so rates refill nothing.
 */

interface Attack {
  readonly handler?: (stream: Http2Stream) => void | Promise<void>;
  readonly limits?: Partial<Http2Limits>;
  /** What is sent over and over again, or a list of it. */
  readonly round: (peer: RawPeer, at: number) => Uint8Array;
  readonly rounds: number;
  /** The code of the GOAWAY that is expected. */
  readonly code: number;
}

interface Cost {
  readonly rounds: number;
  readonly ms: number;
  readonly heldBytes: number;
  readonly answeredBytes: number;
}

function echo(stream: Http2Stream): void {
  stream.collect(1 << 20, (error, body) => {
    if (error === null) stream.respondWhole([[":status", "200"]], body, new Uint8Array(0), [["grpc-status", "0"]]);
  });
}

/** One call of a client that has nothing to do with the attack. */
async function callOn(client: Http2Client): Promise<void> {
  const stream = client.open(request("/innocent"));
  stream.end(new Uint8Array(700));
  assert.equal((await stream.readAll(1_000)).length, 700);
}

async function endOf(peer: RawPeer): Promise<number> {
  const goAway = await peer.nextOf(FrameType.GOAWAY);
  return new DataView(goAway.payload.buffer).getUint32(4);
}

async function suffer(name: string, attack: Attack): Promise<Cost> {
  const service = startService({
    handler: (stream) =>
      stream.headers.some(([, value]) => value === "/innocent") ? echo(stream) : (attack.handler ?? echo)(stream),
    limits: attack.limits,
  });
  const innocent = service.client();
  await callOn(innocent);
  const { peer } = service.raw();
  await peer.send(HELLO);
  await peer.nextOf(FrameType.SETTINGS, 0);
  const started = performance.now();
  let sent = 0;
  let heldBytes = 0;
  while (sent < attack.rounds && service.errors.length === 0) {
    await peer.send(attack.round(peer, sent++));
    heldBytes = Math.max(heldBytes, service.server.stats().heldBytes);
    if (sent % 100 === 0) await callOn(innocent);
  }
  const ms = performance.now() - started;
  const code = await endOf(peer);
  assert.equal(code, attack.code, `${name} ended with code ${code}`);
  await callOn(innocent);
  assert.equal(innocent.state, "open");
  const cost = { rounds: sent, ms, heldBytes, answeredBytes: peer.chunks.reduce((sum, one) => sum + one, 0) };
  console.info(
    `  ${name}: ended after ${sent} rounds and ${ms.toFixed(0)} ms, ${heldBytes} B held, ${cost.answeredBytes} B sent`,
  );
  innocent.close();
  service.server.close();
  return cost;
}

const CALM = ErrorCode.ENHANCE_YOUR_CALM;

Deno.test("rapid reset (CVE-2023-44487) ends its connection at the burst, whatever the handlers do", async () => {
  let running = 0;
  let most = 0;
  const cost = await suffer("rapid reset", {
    async handler() {
      most = Math.max(most, ++running);
      await new Promise(() => {}); // Deaf to its signal.
    },
    round: (peer, at) =>
      concat(
        peer.hpack.headers(1 + 2 * at, request(), Flag.END_STREAM),
        frame(FrameType.RST_STREAM, 0, 1 + 2 * at, u32(ErrorCode.CANCEL)),
      ),
    rounds: 5_000,
    code: CALM,
  });
  assert.ok(most <= DEFAULT_LIMITS.maxConcurrentStreams);
  assert.ok(cost.rounds <= DEFAULT_LIMITS.resetBurst + 2);
});

Deno.test("made-you-reset (CVE-2025-8671) ends its connection at the burst", async () => {
  const breaches: ((id: number) => Uint8Array)[] = [
    (id) => frame(FrameType.WINDOW_UPDATE, 0, id, u32(0)),
    (id) => frame(FrameType.WINDOW_UPDATE, 0, id, u32(0x7fffffff)),
    (id) => frame(FrameType.PRIORITY, 0, id, [0, 0, 0]),
    (id) => frame(FrameType.DATA, 0, id, [1]), // Behind END_STREAM.
  ];
  for (const [at, breach] of breaches.entries()) {
    let running = 0;
    let most = 0;
    await suffer(`made-you-reset ${at + 1}`, {
      async handler() {
        most = Math.max(most, ++running);
        await new Promise(() => {});
      },
      round: (peer, at) => concat(peer.hpack.headers(1 + 2 * at, request(), Flag.END_STREAM), breach(1 + 2 * at)),
      rounds: 5_000,
      code: CALM,
    });
    assert.ok(most <= DEFAULT_LIMITS.maxConcurrentStreams);
  }
});

Deno.test("a CONTINUATION flood ends its connection within the limits of one header list", async () => {
  const fragment = new Uint8Array(100).fill(0x82);
  const first = (peer: RawPeer, at: number) =>
    at === 0 ? frame(FrameType.HEADERS, 0, 1, peer.hpack.headers(1, request()).subarray(9)) : null;
  const many = await suffer("CONTINUATION flood", {
    round: (peer, at) => first(peer, at) ?? frame(FrameType.CONTINUATION, 0, 1, fragment),
    rounds: 5_000,
    code: CALM,
  });
  assert.ok(many.rounds <= DEFAULT_LIMITS.maxContinuationFrames + 3);
  const large = await suffer("CONTINUATION flood, large", {
    round: (peer, at) => first(peer, at) ?? frame(FrameType.CONTINUATION, 0, 1, new Uint8Array(16_384)),
    rounds: 100,
    code: CALM,
  });
  assert.ok(large.rounds <= 4);
});

const FLOODS: [name: string, round: (peer: RawPeer, at: number) => Uint8Array][] = [
  ["empty DATA", (peer, at) => at === 0 ? peer.hpack.headers(1, request()) : frame(FrameType.DATA, 0, 1)],
  [
    "DATA of padding",
    (peer, at) =>
      at === 0
        ? peer.hpack.headers(1, request())
        : frame(FrameType.DATA, Flag.PADDED, 1, [20, ...new Array(20).fill(0)]),
  ],
  ["SETTINGS", () => settings([SettingId.INITIAL_WINDOW_SIZE, 65_535])],
  ["SETTINGS acknowledgements", () => frame(FrameType.SETTINGS, Flag.ACK, 0)],
  ["PING", () => frame(FrameType.PING, 0, 0, new Uint8Array(8))],
  ["PING answers", () => frame(FrameType.PING, Flag.ACK, 0, new Uint8Array(8))],
  ["WINDOW_UPDATE", () => frame(FrameType.WINDOW_UPDATE, 0, 0, u32(1))],
  [
    "WINDOW_UPDATE on a stream",
    (peer, at) => at === 0 ? peer.hpack.headers(1, request()) : frame(FrameType.WINDOW_UPDATE, 0, 1, u32(1)),
  ],
  ["PRIORITY", () => frame(FrameType.PRIORITY, 0, 5, [0, 0, 0, 0, 1])],
  ["unknown frames", () => frame(0xee, 0, 0, new Uint8Array(100))],
  [
    "RST_STREAM on a closed stream",
    (peer, at) =>
      at === 0 ? peer.hpack.headers(1, request(), Flag.END_STREAM) : frame(FrameType.RST_STREAM, 0, 1, u32(8)),
  ],
];

for (const [name, round] of FLOODS) {
  Deno.test(`a flood of ${name} ends its connection at the burst`, async () => {
    const cost = await suffer(`flood of ${name}`, { round, rounds: 10_000, code: CALM });
    assert.ok(cost.rounds <= DEFAULT_LIMITS.controlFrameBurst + 2);
    assert.ok(cost.heldBytes <= 1_000);
    assert.ok(cost.answeredBytes < 50_000, "no amplification");
  });
}

Deno.test("an HPACK bomb ends its connection before its list is built", async () => {
  const insert = new HpackEncoder({ tableBytes: 4096 })
    .encode(new PreparedHeaders([...request(), ["x-bomb", "b".repeat(3_000)]])).slice();
  const bomb = new Uint8Array(insert.length + 12_000).fill(0x80 | 62);
  bomb.set(insert);
  const cost = await suffer("HPACK bomb", {
    round: () => frame(FrameType.HEADERS, Flag.END_HEADERS, 1, bomb),
    rounds: 1,
    code: ErrorCode.COMPRESSION_ERROR,
  });
  assert.equal(cost.heldBytes, 0);
});

Deno.test("table churn costs the peer as many octets as us, and no memory", async () => {
  const service = startService({ handler: echo });
  const innocent = service.client();
  const { peer } = service.raw();
  await peer.send(HELLO);
  const started = performance.now();
  for (let at = 0; at < 300; at++) {
    // Thirty fields of 120 octets: each list displaces the whole table.
    const churn = Array.from({ length: 30 }, (_, field) => [`x-${field}`, `${at}.`.padEnd(110, "c")] as const);
    const block = new HpackEncoder({ tableBytes: 4096 }).encode(new PreparedHeaders([...request(), ...churn]));
    await peer.send(frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1 + 2 * at, block));
    if (at % 50 === 0) await callOn(innocent);
  }
  console.info(`  table churn: 300 lists of 30 insertions took ${(performance.now() - started).toFixed(0)} ms`);
  await callOn(innocent);
  assert.equal(service.server.stats().streams, 0);
  service.server.close();
});

Deno.test("a header list past its limits is answered 431, and the connection goes on", async () => {
  const service = startService({ handler: echo });
  const { peer } = service.raw();
  await peer.send(HELLO);
  const many = Array.from({ length: DEFAULT_LIMITS.maxHeaderFields + 1 }, () => ["x", "y"] as const);
  await peer.send(peer.hpack.headers(1, request("/", ...many)));
  assert.deepEqual(peer.hpack.decode(await peer.nextOf(FrameType.HEADERS, 1)), [[":status", "431"]]);
  await peer.nextOf(FrameType.RST_STREAM, 1);
  await peer.send(peer.hpack.headers(3, request(), Flag.END_STREAM));
  assert.deepEqual(peer.hpack.decode(await peer.nextOf(FrameType.HEADERS, 3)), [[":status", "200"]]);
  service.server.close();
});

/** Opens `count` streams whose answers of 1 MB each are not let go. */
async function askForMuch(service: TestService, count: number): Promise<{ peer: RawPeer; transport: MemoryTransport }> {
  const { peer, transport } = service.raw();
  await peer.send(HELLO, settings([SettingId.INITIAL_WINDOW_SIZE, 0]));
  for (let at = 0; at < count; at++) await peer.send(peer.hpack.headers(1 + 2 * at, request("/much"), Flag.END_STREAM));
  return { peer, transport };
}

const MUCH = new Uint8Array(1_000_000);

async function much(stream: Http2Stream): Promise<void> {
  if (stream.headers.some(([, value]) => value === "/innocent")) return echo(stream);
  stream.respond([[":status", "200"]]);
  await stream.write(MUCH);
}

Deno.test("windows that never open hold no copy of the answers, and their streams are reset in time", async () => {
  const service = startService({ handler: much, limits: { keepaliveIntervalMs: 0, settingsTimeoutMs: 0 } });
  const innocent = service.client();
  const { peer } = await askForMuch(service, 200);
  await callOn(innocent);
  await settle();
  const sent = peer.chunks.reduce((sum, one) => sum + one, 0);
  assert.ok(sent < 10_000, `${sent} octets sent into windows of 0`);
  assert.equal(service.server.stats().streams, 200);
  await service.clock.pass(DEFAULT_LIMITS.windowTimeoutMs + 1_000);
  assert.equal(service.server.stats().streams, 0);
  await callOn(innocent);
  service.server.close();
});

Deno.test("a peer that does not read what it makes us answer is cut off", async () => {
  const service = startService({ handler: echo, limits: { controlFrameBurst: 1_000_000, maxOutputBytes: 200_000 } });
  const innocent = service.client();
  const { peer, transport } = service.raw();
  await peer.send(HELLO);
  transport.paused = true;
  const pings = concat(...Array.from({ length: 100 }, () => frame(FrameType.PING, 0, 0, new Uint8Array(8))));
  let sent = 0;
  while (service.errors.length === 0 && sent < 1_000) {
    await peer.send(pings);
    sent++;
    if (sent % 20 === 0) await callOn(innocent);
  }
  assert.match(String(service.errors[0]), /does not read/);
  assert.ok(sent * 100 * 17 <= 2 * 200_000 + 10_000, "what waited was bounded");
  await callOn(innocent);
  service.server.close();
});

Deno.test("a transport that takes nothing is given up, with all that waits for it", async () => {
  const service = startService({ handler: much, limits: { keepaliveIntervalMs: 0, settingsTimeoutMs: 0 } });
  const { peer, transport } = service.raw();
  await peer.send(HELLO, settings([SettingId.INITIAL_WINDOW_SIZE, 0x7fffffff]));
  await peer.send(frame(FrameType.WINDOW_UPDATE, 0, 0, u32(0x70000000)));
  await settle();
  transport.paused = true;
  for (let at = 0; at < 50; at++) await peer.send(peer.hpack.headers(1 + 2 * at, request("/much"), Flag.END_STREAM));
  assert.equal(service.server.stats().streams, 50);
  await service.clock.pass(DEFAULT_LIMITS.writeTimeoutMs + 4_000);
  assert.equal(service.server.stats().connections, 0);
  service.server.close();
});

Deno.test("one octet at a time works, and a header block that dawdles is cut off", async () => {
  const service = startService({ handler: echo });
  const { peer } = service.raw();
  const call = concat(HELLO, peer.hpack.headers(1, request(), Flag.END_STREAM));
  for (let at = 0; at < call.length; at++) await peer.send(call.subarray(at, at + 1));
  assert.deepEqual(peer.hpack.decode(await peer.nextOf(FrameType.HEADERS, 1)), [[":status", "200"]]);
  await peer.send(frame(FrameType.SETTINGS, Flag.ACK, 0), frame(FrameType.HEADERS, 0, 3, [0x82]));
  await service.clock.pass(DEFAULT_LIMITS.headerBlockTimeoutMs + 500);
  assert.equal(await endOf(peer), CALM);
  service.server.close();
});

Deno.test("half-open handshakes are dropped in time and do not keep others out", async () => {
  const service = startService({ handler: echo, limits: { maxConnections: 50 } });
  const silent = Array.from({ length: 40 }, () => service.raw().peer);
  await silent[0]!.send(HELLO.subarray(0, 10));
  const innocent = service.client();
  await callOn(innocent);
  assert.equal(service.server.stats().connections, 41);
  const rest = Array.from({ length: 20 }, () => service.raw().peer);
  await until(() => rest.filter(({ ended }) => ended).length === 11, "those past the limit to be turned away");
  await service.clock.pass(DEFAULT_LIMITS.handshakeTimeoutMs + 2_000);
  assert.equal(service.server.stats().connections, 1);
  await callOn(innocent);
  service.server.close();
});

Deno.test("a client of HTTP/1.1 gets a clear 400, and noise gets nothing but the end", async () => {
  const service = startService({ handler: echo });
  const { peer } = service.raw();
  await peer.send(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await until(() => peer.ended, "the end");
  const answer = new TextDecoder().decode(peer.rest);
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /connection: close\r\n\r\nThis port speaks HTTP\/2 only\.\n$/);
  for (const noise of ["\x16\x03\x01\x02\x00\x01", "SSH-2.0-OpenSSH_9.2\r\n", "\x00".repeat(100), "A".repeat(5_000)]) {
    const { peer: other } = service.raw();
    await other.send(new TextEncoder().encode(noise));
    await until(() => other.ended, "the end");
    assert.deepEqual([other.rest.length, other.frames.length], [0, 0]);
  }
  service.server.close();
});

Deno.test("bodies that nobody reads hold their windows and no more, over all connections", async () => {
  const service = startService({
    handler: (stream) =>
      stream.headers.some(([, value]) => value === "/innocent") ? echo(stream) : new Promise<void>(() => {}),
    limits: { streamWindowBytes: 65_535, maxBufferedBytesPerConnection: 1_000_000, maxBufferedBytes: 2_000_000 },
  });
  const innocent = service.client();
  let most = 0;
  let refused = 0;
  for (let connection = 0; connection < 6; connection++) {
    const { peer } = service.raw();
    await peer.send(HELLO);
    for (let stream = 0; stream < 16; stream++) {
      const id = 1 + 2 * stream;
      await peer.send(peer.hpack.headers(id, request("/stall")));
      for (let part = 0; part < 3; part++) await peer.send(frame(FrameType.DATA, 0, id, new Uint8Array(16_384)));
      most = Math.max(most, service.server.stats().heldBytes);
    }
    await settle();
    refused += peer.frames.filter(({ type }) => type === FrameType.RST_STREAM).length;
    peer.close();
    await settle();
    if (connection % 2 === 0) await callOn(innocent);
  }
  assert.ok(most <= 2_000_000, `${most} octets held`);
  assert.equal(service.server.stats().heldBytes, 0);
  assert.equal(refused, 0);

  // All at once: past three quarters of the limit new streams are refused, and what is held stays within it.
  const peers: RawPeer[] = [];
  for (let connection = 0; connection < 6; connection++) {
    const { peer } = service.raw();
    peers.push(peer);
    await peer.send(HELLO);
    for (let stream = 0; stream < 16; stream++) {
      const id = 1 + 2 * stream;
      await peer.send(peer.hpack.headers(id, request("/stall")));
      for (let part = 0; part < 3; part++) await peer.send(frame(FrameType.DATA, 0, id, new Uint8Array(16_384)));
      most = Math.max(most, service.server.stats().heldBytes);
    }
  }
  await settle();
  assert.ok(most <= 2_000_000 + 16_384, `${most} octets held`);
  assert.ok(peers.some(({ frames }) => frames.some(({ type }) => type === FrameType.RST_STREAM)), "some were refused");
  // Those who hold most are cut off until there is room again; whoever holds nothing is not.
  await service.clock.pass(500);
  assert.ok(service.server.stats().heldBytes < 1_500_000);
  await callOn(innocent);
  assert.equal(innocent.state, "open");
  for (const peer of peers) peer.close();
  await settle();
  assert.equal(service.server.stats().heldBytes, 0);
  await callOn(innocent);
  service.server.close();
});

Deno.test("bodies whose rest never comes are reset in time", async () => {
  const service = startService({ handler: echo, limits: { keepaliveIntervalMs: 0, settingsTimeoutMs: 0 } });
  const { peer } = service.raw();
  await peer.send(HELLO);
  for (let id = 1; id < 100; id += 2) {
    await peer.send(peer.hpack.headers(id, request()), frame(FrameType.DATA, 0, id, new Uint8Array(10_000)));
  }
  assert.equal(service.server.stats().heldBytes, 500_000);
  await service.clock.pass(DEFAULT_LIMITS.bodyTimeoutMs + 500);
  assert.deepEqual(service.server.stats(), { connections: 1, streams: 0, heldBytes: 0 });
  service.server.close();
});

Deno.test("tiny DATA frames cost their octets, not an object each", async () => {
  const service = startService({ handler: () => new Promise<void>(() => {}) });
  const { peer } = service.raw();
  await peer.send(HELLO, peer.hpack.headers(1, request()));
  const tiny = concat(...Array.from({ length: 1_000 }, () => frame(FrameType.DATA, 0, 1, [7])));
  for (let round = 0; round < 60; round++) await peer.send(tiny);
  assert.equal(service.server.stats().heldBytes, 60_000);
  peer.close();
  service.server.close();
});
