import assert from "node:assert/strict";
import { connect } from "./client.ts";
import { CLIENT_PREFACE, ErrorCode, Flag, FrameType, SettingId } from "./core/constants.ts";
import { StreamClosedError } from "./core/errors.ts";
import type { Http2Stream } from "./stream_face.ts";
import { FakeClock, settle } from "./testing/fake_clock.ts";
import { concat, frame, HELLO, request, settings, u32 } from "./testing/frames.ts";
import { RawPeer, until } from "./testing/raw_peer.ts";
import { startService } from "./testing/service.ts";
import { memoryPair } from "./transport/memory.ts";

function answer(stream: Http2Stream): void {
  stream.respond([[":status", "200"]], true);
}

const SETTINGS_ACK = frame(FrameType.SETTINGS, Flag.ACK, 0);

/** A client of ours against a server written by hand. */
async function againstRawServer(options: Parameters<typeof connect>[1] = {}) {
  const [left, right] = memoryPair();
  const clock = new FakeClock();
  const client = connect(left, { clock, ...options });
  const sink = new PrefacedPeer(right);
  await sink.send(frame(FrameType.SETTINGS, 0, 0), SETTINGS_ACK);
  await client.ready;
  return { client, peer: sink, clock };
}

/** A server written by hand: the client's preface is not a frame. */
class PrefacedPeer extends RawPeer {
  #skip = CLIENT_PREFACE.length;
  override data(bytes: Uint8Array): void {
    const skipped = Math.min(this.#skip ?? 0, bytes.length);
    this.#skip -= skipped;
    super.data(bytes.subarray(skipped));
  }
}

Deno.test("shutdown lets open streams finish, takes no new ones, and resolves when all is gone", async () => {
  const gate = Promise.withResolvers<void>();
  const { server, client } = startService({
    async handler(stream) {
      await gate.promise;
      answer(stream);
    },
  });
  let draining = false;
  const connection = client({ onDraining: () => draining = true });
  const stream = connection.open(request(), true);
  await until(() => server.stats().streams === 1, "the stream to open");
  let gone = false;
  const shutdown = server.shutdown().then(() => gone = true);
  await until(() => draining, "GOAWAY");
  assert.equal(connection.state, "draining");
  assert.throws(() => connection.open(request()), (error) => error instanceof StreamClosedError && error.unprocessed);
  await settle();
  assert.equal(gone, false);
  gate.resolve();
  assert.deepEqual(await stream.response(), [[":status", "200"]]);
  await shutdown;
  assert.equal(connection.state, "closed");
});

Deno.test("a drain that takes too long is cut off", async () => {
  const { server, client, clock } = startService({
    handler: () => new Promise(() => {}),
    limits: { drainTimeoutMs: 5_000 },
  });
  const connection = client();
  const stream = connection.open(request(), true);
  await until(() => server.stats().streams === 1, "the stream to open");
  const shutdown = server.shutdown();
  await clock.pass(10_000);
  await shutdown;
  await assert.rejects(stream.response(), StreamClosedError);
});

Deno.test("a client hears from GOAWAY which of its streams were not processed", async () => {
  const { client, peer } = await againstRawServer();
  const first = client.open(request(), true);
  const second = client.open(request(), true);
  await peer.nextOf(FrameType.HEADERS, 3);
  await peer.send(frame(FrameType.GOAWAY, 0, 0, concat(u32(1), u32(ErrorCode.NO_ERROR))));
  await assert.rejects(second.response(), (error) => error instanceof StreamClosedError && error.unprocessed);
  assert.equal(first.closed, false);
  assert.equal(client.state, "draining");
  await peer.send(peer.hpack.headers(1, [[":status", "200"]], Flag.END_STREAM));
  assert.deepEqual(await first.response(), [[":status", "200"]]);
  await until(() => client.state === "closed", "the connection to end with its last stream");
});

Deno.test("a refused stream may be repeated, one that was reset for another reason may not", async () => {
  const { client, peer } = await againstRawServer();
  for (const [code, unprocessed] of [[ErrorCode.REFUSED_STREAM, true], [ErrorCode.CANCEL, false]] as const) {
    const stream = client.open(request(), true);
    await peer.nextOf(FrameType.HEADERS, stream.id);
    await peer.send(frame(FrameType.RST_STREAM, 0, stream.id, u32(code)));
    await assert.rejects(
      stream.response(),
      (error) => error instanceof StreamClosedError && error.code === code && error.unprocessed === unprocessed,
    );
  }
  client.close();
});

Deno.test("interim responses are passed over", async () => {
  const { client, peer } = await againstRawServer();
  const stream = client.open(request(), true);
  await peer.nextOf(FrameType.HEADERS, 1);
  await peer.send(
    peer.hpack.headers(1, [[":status", "103"], ["link", "</a>"]]),
    peer.hpack.headers(1, [[":status", "204"]], Flag.END_STREAM),
  );
  assert.deepEqual(await stream.response(), [[":status", "204"]]);
  client.close();
});

Deno.test("both sides ping a silent peer and give it up when it does not answer", async () => {
  const limits = { keepaliveIntervalMs: 10_000, keepaliveTimeoutMs: 5_000, idleTimeoutMs: 0 };
  const { server, raw, clock, errors } = startService({ handler: answer, limits });
  const { peer } = raw();
  await peer.send(HELLO, SETTINGS_ACK);
  await clock.pass(9_000);
  assert.equal(peer.frames.some(({ type }) => type === FrameType.PING), false);
  await clock.pass(1_500);
  const ping = await peer.nextOf(FrameType.PING);
  await peer.send(frame(FrameType.PING, Flag.ACK, 0, ping.payload));
  await clock.pass(9_000);
  assert.equal(server.stats().connections, 1);
  await clock.pass(7_500);
  assert.equal(server.stats().connections, 0);
  assert.match(String(errors[0]), /did not answer a ping/);

  const other = await againstRawServer({ limits });
  await other.clock.pass(10_500);
  await other.peer.nextOf(FrameType.PING);
  await other.clock.pass(6_500);
  assert.equal(other.client.state, "closed");
});

Deno.test("a ping tells the round trip", async () => {
  const { client, clock } = startService({ handler: answer });
  const connection = client();
  const ping = connection.ping();
  assert.equal(await ping, 0);
  const late = connection.ping();
  connection.close();
  await assert.rejects(late, StreamClosedError);
  await clock.pass(500);
});

Deno.test("a connection without streams is closed after its idle time, a busy one is not", async () => {
  const { server, client, clock } = startService({ handler: () => {}, limits: { idleTimeoutMs: 20_000 } });
  const idle = client();
  const busy = client();
  busy.open(request(), true);
  await clock.pass(19_000);
  assert.deepEqual([idle.state, busy.state], ["open", "open"]);
  await clock.pass(3_000);
  assert.deepEqual([idle.state, busy.state], ["closed", "open"]);
  server.close();
});

Deno.test("a connection is drained at its maximum age", async () => {
  const { server, client, clock } = startService({
    handler: answer,
    random: () => 0.5,
    limits: { maxAgeMs: 60_000, idleTimeoutMs: 0 },
  });
  const connection = client();
  await clock.pass(62_000);
  assert.equal(connection.state, "open"); // 60 s and half of the jitter of a tenth.
  await clock.pass(3_000);
  assert.equal(connection.state, "closed");
  server.close();
});

Deno.test("the peer's settings may change while streams are open", async () => {
  const { server, raw } = startService({
    async handler(stream) {
      stream.respond([[":status", "200"]]);
      await stream.write(new Uint8Array(40));
      stream.sendTrailers([["x-end", "1"]]);
    },
  });
  const { peer } = raw();
  await peer.send(
    HELLO,
    settings([SettingId.INITIAL_WINDOW_SIZE, 10]),
    peer.hpack.headers(1, request(), Flag.END_STREAM),
  );
  assert.equal((await peer.nextOf(FrameType.DATA)).payload.length, 10);
  // The window becomes negative, then what is missing is added: 10 more may come.
  await peer.send(settings([SettingId.INITIAL_WINDOW_SIZE, 0]), settings([SettingId.INITIAL_WINDOW_SIZE, 20]));
  assert.equal((await peer.nextOf(FrameType.DATA)).payload.length, 10);
  await peer.send(frame(FrameType.WINDOW_UPDATE, 0, 1, u32(15)));
  assert.equal((await peer.nextOf(FrameType.DATA)).payload.length, 15);
  await peer.send(frame(FrameType.WINDOW_UPDATE, 0, 1, u32(100)));
  assert.equal((await peer.nextOf(FrameType.DATA)).payload.length, 5);
  const trailers = await peer.next(
    (one) => one.type === FrameType.HEADERS && (one.flags & Flag.END_STREAM) !== 0,
    "trailers",
  );
  assert.equal(trailers.id, 1);
  server.close();
});

Deno.test("the peer's smaller header table is obeyed and announced", async () => {
  const { server, raw } = startService({
    handler: (stream) => stream.respond([[":status", "200"], ["server", "x"]], true),
  });
  const { peer } = raw();
  await peer.send(HELLO, peer.hpack.headers(1, request(), Flag.END_STREAM));
  peer.hpack.decode(await peer.nextOf(FrameType.HEADERS, 1));
  await peer.send(settings([SettingId.HEADER_TABLE_SIZE, 0]), peer.hpack.headers(3, request(), Flag.END_STREAM));
  const block = await peer.nextOf(FrameType.HEADERS, 3);
  assert.equal(block.payload[0], 0x20); // Size update to 0.
  assert.deepEqual(peer.hpack.decode(block), [[":status", "200"], ["server", "x"]]);
  server.close();
});

Deno.test("a lost connection ends its streams with a reason, and their handlers hear of it", async () => {
  const ends: unknown[] = [];
  const { server, raw, errors } = startService({
    handler(stream) {
      stream.onClose((error) => ends.push(error?.source));
    },
  });
  const { peer } = raw();
  await peer.send(HELLO, peer.hpack.headers(1, request()));
  await until(() => server.stats().streams === 1, "the stream to open");
  peer.close();
  await until(() => server.stats().connections === 0, "the connection to go");
  assert.deepEqual(ends, ["connection"]);
  assert.equal(errors.length, 1);
});
