import assert from "node:assert/strict";
import { CLIENT_PREFACE, ErrorCode, FrameType, SettingId } from "./core/constants.ts";
import { StreamClosedError } from "./core/errors.ts";
import { PreparedHeaders } from "./hpack/mod.ts";
import type { Http2Stream } from "./stream_face.ts";
import { BodyTooLargeError } from "./stream.ts";
import { settle } from "./testing/fake_clock.ts";
import { frame, HELLO, request, settings, u32 } from "./testing/frames.ts";
import { until } from "./testing/raw_peer.ts";
import { startService } from "./testing/service.ts";

const OK = new PreparedHeaders([[":status", "200"], ["content-type", "application/grpc"]]);
const DONE = new PreparedHeaders([["grpc-status", "0"]]);
const EMPTY = new Uint8Array(0);

function bytes(length: number, seed = 1): Uint8Array {
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at++) all[at] = seed = (seed * 1_103_515_245 + 12_345) & 0xff;
  return all;
}

/** Answers with the request's body. */
function echo(stream: Http2Stream): void {
  stream.collect(1 << 26, (error, body) => {
    if (error === null) stream.respondWhole(OK, EMPTY, body, DONE);
  });
}

/** Answers octet for octet as they come. */
async function echoStream(stream: Http2Stream): Promise<void> {
  stream.respond(OK);
  for await (const part of stream) await stream.write(part);
  stream.sendTrailers(stream.trailers ?? DONE);
}

Deno.test("a unary call: headers, body and trailers in both directions", async () => {
  const { server, client } = startService({ handler: echo });
  const connection = client();
  for (const size of [0, 1, 700, 16_384, 70_000, 3_000_000]) {
    const stream = connection.open(request("/a.B/C", ["te", "trailers"]));
    const sent = bytes(size);
    stream.end(sent.subarray(0, 5), sent.subarray(5));
    assert.deepEqual(await stream.readAll(1 << 26), sent);
    assert.deepEqual(stream.headers, [[":status", "200"], ["content-type", "application/grpc"]]);
    assert.deepEqual(stream.trailers, [["grpc-status", "0"]]);
    assert.equal(stream.closeError, null);
  }
  assert.equal(server.stats().heldBytes, 0);
  await connection.shutdown();
  await server.shutdown();
});

Deno.test("a bidirectional stream carries every octet in order, and trailers both ways", async () => {
  const { server, client } = startService({ handler: echoStream });
  const connection = client();
  const stream = connection.open(request());
  const sent = bytes(2_000_000);
  const sending = (async () => {
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7) % 60_000 + 1) {
      await stream.write(sent.subarray(at, at + size));
    }
    stream.sendTrailers([["x-sum", "42"]]);
  })();
  let at = 0;
  for await (const part of stream) {
    assert.deepEqual(part, sent.subarray(at, at + part.length));
    at += part.length;
  }
  await sending;
  assert.equal(at, sent.length);
  assert.deepEqual(stream.trailers, [["x-sum", "42"]]);
  connection.close();
  server.close();
});

Deno.test("a writer waits for its reader and holds no more than window and buffers; other streams go on", async () => {
  let written = 0;
  const { server, client } = startService({
    async handler(stream) {
      if (stream.headers.some(([name, value]) => name === ":path" && value === "/small")) return echo(stream);
      stream.respond(OK);
      const part = new Uint8Array(10_000);
      for (let count = 0; count < 300; count++) {
        await stream.write(part);
        written += part.length;
      }
      stream.sendTrailers(DONE);
    },
  });
  const connection = client({ limits: { streamWindowBytes: 100_000 } });
  const slow = connection.open(request("/big"), true);
  await slow.response();
  await until(() => written >= 90_000, "the window to fill");
  await settle();
  assert.ok(written <= 100_000 + 10_000, `${written} octets written into a window of 100 000`);

  const small = connection.open(request("/small"));
  small.end(bytes(50_000));
  assert.equal((await small.readAll(100_000)).length, 50_000);
  assert.ok(written <= 110_000);

  assert.equal((await slow.readAll(4_000_000)).length, 3_000_000);
  assert.equal(written, 3_000_000);
  connection.close();
  server.close();
});

Deno.test("a handler that does not read stops the client, and reading lets it go on", async () => {
  const gate = Promise.withResolvers<void>();
  let got = 0;
  const { server, client } = startService({
    async handler(stream) {
      await gate.promise;
      for await (const part of stream) got += part.length;
      stream.respond([[":status", "204"]], true);
    },
    limits: { streamWindowBytes: 65_535 },
  });
  const connection = client();
  await connection.ready;
  const stream = connection.open(request());
  let sent = 0;
  const sending = (async () => {
    for (let count = 0; count < 100; count++) {
      await stream.write(new Uint8Array(5_000));
      sent += 5_000;
    }
    await stream.end();
  })();
  await until(() => server.stats().heldBytes >= 60_000, "the window to fill");
  await settle();
  assert.ok(sent <= 65_535 + 5_000);
  assert.ok(server.stats().heldBytes <= 65_535);
  gate.resolve();
  await sending;
  assert.deepEqual(await stream.response(), [[":status", "204"]]);
  assert.equal(got, 500_000);
  assert.equal(server.stats().heldBytes, 0);
  connection.close();
  server.close();
});

Deno.test("a client's reset aborts the signal, ends reads and writes, and is told with its code", async () => {
  const seen: unknown[] = [];
  const { server, client, errors } = startService({
    async handler(stream) {
      stream.signal.addEventListener("abort", () => seen.push((stream.signal.reason as StreamClosedError).code));
      stream.onClose((error) => seen.push(error?.source));
      stream.respond(OK);
      const write = stream.write(new Uint8Array(4_000_000)) as Promise<void>;
      await assert.rejects(write, StreamClosedError);
      assert.throws(() => stream.write(EMPTY), StreamClosedError);
      await assert.rejects(stream.read(), StreamClosedError);
      seen.push("handler done");
    },
  });
  const connection = client();
  const stream = connection.open(request());
  await stream.response();
  stream.reset(ErrorCode.CANCEL);
  await until(() => seen.length === 3, "the handler to end");
  assert.deepEqual(seen, [ErrorCode.CANCEL, "peer", "handler done"]);
  assert.deepEqual(errors, []);
  assert.equal(server.stats().streams, 0);
  assert.equal(connection.state, "open");
  connection.close();
  server.close();
});

Deno.test("a handler's fault resets its stream alone", async () => {
  const { server, client, errors } = startService({
    handler(stream) {
      const path = stream.headers.find(([name]) => name === ":path")![1];
      if (path === "/throws") throw new Error("thrown");
      if (path === "/rejects") return Promise.reject(new Error("rejected"));
      if (path === "/callback") {
        return stream.collect(100, () => {
          throw new Error("called back");
        });
      }
      echo(stream);
    },
  });
  const connection = client();
  const good = connection.open(request("/good"));
  for (const path of ["/throws", "/rejects", "/callback"]) {
    const bad = connection.open(request(path), true);
    await assert.rejects(
      bad.response(),
      (error) =>
        error instanceof StreamClosedError && error.code === ErrorCode.INTERNAL_ERROR && error.source === "peer",
    );
  }
  assert.deepEqual(errors.map((error) => (error as Error).message), ["thrown", "rejected", "called back"]);
  good.end(bytes(10));
  assert.deepEqual(await good.readAll(100), bytes(10));
  connection.close();
  server.close();
});

Deno.test("listeners that fail take nothing with them", async () => {
  const fail = () => {
    throw new Error("listener");
  };
  const { server, client } = startService({
    handler(stream) {
      stream.onClose(fail);
      echo(stream);
    },
    onError: fail,
  });
  const doomed = client({ onClose: fail, onDraining: fail, onError: fail });
  const bad = doomed.open(request());
  bad.onResponse(fail);
  bad.end(bytes(3));
  await until(() => bad.closed, "the stream to be reset");
  doomed.close();
  const connection = client({ onClose: fail, onDraining: fail });
  const stream = connection.open(request());
  stream.end(bytes(3));
  assert.deepEqual(await stream.readAll(10), bytes(3));
  await server.shutdown();
  assert.equal(connection.state, "closed");
});

Deno.test("a body past its reader's limit is an error of the reader; the stream still answers", async () => {
  const { server, client } = startService({
    handler(stream) {
      stream.collect(1_000, (error) => {
        assert.ok(error instanceof BodyTooLargeError);
        stream.respond([[":status", "413"]], true);
      });
    },
  });
  const connection = client();
  const stream = connection.open(request());
  stream.write(bytes(1_001));
  assert.deepEqual(await stream.response(), [[":status", "413"]]);
  // The complete answer, then RST_STREAM(NO_ERROR): the end is in order.
  await until(() => stream.closed, "the stream to close");
  assert.equal(stream.closeError, null);
  connection.close();
  server.close();
});

Deno.test("whoever does not wait for its writes is stopped", async () => {
  const { server, client } = startService({ handler: () => {}, limits: { streamWindowBytes: 1_000 } });
  const connection = client({ limits: { maxQueuedBytesPerStream: 100_000 } });
  await connection.ready;
  const stream = connection.open(request());
  stream.write(new Uint8Array(1_000_000)); // One write may be as large as it likes: it is the caller's memory.
  assert.throws(() => stream.write(new Uint8Array(1)), RangeError);
  assert.equal(stream.closed, false);
  connection.close();
  server.close();
});

Deno.test("a client's streams past the server's limit wait for their turn", async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const { server, client } = startService({
    async handler(stream) {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      stream.respond([[":status", "200"]], true);
    },
    limits: { maxConcurrentStreams: 3 },
  });
  const connection = client();
  await connection.ready;
  const streams = Array.from({ length: 10 }, () => connection.open(request(), true));
  streams[9]!.reset(); // One that waits goes without a word.
  await until(() => running === 3, "three handlers");
  assert.equal(streams.filter(({ id }) => id !== 0).length, 3);
  gate.resolve();
  const answers = await Promise.all(streams.slice(0, 9).map((stream) => stream.response()));
  assert.equal(answers.length, 9);
  assert.equal(most, 3);
  connection.close();
  server.close();
});

Deno.test("what is answered in one tick leaves in one write", async () => {
  const { server, raw } = startService({ handler: echo });
  const { peer } = raw();
  await peer.send(HELLO);
  await peer.nextOf(FrameType.SETTINGS, 0);
  await settle();
  const before = peer.chunks.length;
  await peer.send(
    ...Array.from({ length: 20 }, (_, at) => peer.hpack.headers(1 + 2 * at, request(), 0x1)),
  );
  await peer.next((frame) => frame.id === 39 && (frame.flags & 1) === 1, "the last answer");
  assert.equal(peer.chunks.length - before, 1);
  server.close();
});

Deno.test("a peer that takes frames of megabytes gets a large body in small ones", async () => {
  const { server, raw, errors } = startService({
    handler: (stream) => stream.collect(10, () => stream.respondWhole(OK, EMPTY, bytes(4_000_000), DONE)),
  });
  const { peer } = raw();
  const [wide, large] = [0x7fff_0000, 0xff_ffff];
  await peer.send(
    CLIENT_PREFACE,
    settings([SettingId.INITIAL_WINDOW_SIZE, wide], [SettingId.MAX_FRAME_SIZE, large]),
    frame(FrameType.WINDOW_UPDATE, 0, 0, u32(wide)),
    peer.hpack.headers(1, request(), 0x1),
  );
  let octets = 0;
  for (;;) {
    const { payload, flags } = await peer.next(
      ({ id, type, flags }) => id === 1 && (type === 0 || (flags & 1) === 1),
      "the body",
    );
    if ((flags & 1) !== 0) break;
    assert.ok(payload.length <= 16_384, `a frame of ${payload.length}`);
    octets += payload.length;
  }
  assert.equal(octets, 4_000_000);
  assert.deepEqual(errors, []);
  server.close();
});

Deno.test("header lists that may not be sent are refused before anything is", async () => {
  const { server, client } = startService({ handler: echo });
  const connection = client();
  assert.throws(() => connection.open(request("/", ["X-Upper", "a"])), TypeError);
  assert.throws(() => connection.open(request("/", ["x", "a\r\nb: c"])), TypeError);
  assert.throws(() => new PreparedHeaders([["x y", ""]]), TypeError);
  const stream = connection.open(request());
  stream.end(bytes(3));
  assert.equal((await stream.readAll(10)).length, 3);
  connection.close();
  server.close();
});
