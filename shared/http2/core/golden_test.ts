import assert from "node:assert/strict";
import { PreparedHeaders } from "../hpack/mod.ts";
import { hex, toHex } from "../testing/frames.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { ErrorCode } from "./constants.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { StreamCore } from "./stream_core.ts";

/** A stream that keeps what it is told. */
class Recorded extends StreamCore {
  readonly log: string[] = [];
  override deliverHeaders(): void {
    this.log.push(`headers ${JSON.stringify(this.headers)}`);
  }
  override deliverData(source: Uint8Array, start: number, end: number): void {
    this.log.push(`data ${new TextDecoder().decode(source.subarray(start, end))}`);
  }
  override deliverEnd(): void {
    this.log.push(`end ${JSON.stringify(this.trailers)}`);
  }
  override deliverClosed(): void {
    this.log.push(this.closeError === null ? "closed" : `closed ${this.closeError.message}`);
  }
}

function open(role: "server" | "client", onStream: (stream: Recorded) => void = () => {}) {
  const ends: (string | null)[] = [];
  const streams: Recorded[] = [];
  const events: ConnectionEvents<Recorded> = {
    createStream: () => new Recorded(),
    onStream(stream) {
      streams.push(stream);
      onStream(stream);
    },
    onOutput() {},
    onClosed: (error) => ends.push(error?.message ?? null),
  };
  const limits = { ...DEFAULT_LIMITS, connectionWindowBytes: 65_535 };
  const connection = new Connection<Recorded>({ role, limits, events, now: 0 });
  const output = () => {
    const bytes = connection.takeOutput();
    if (bytes === null) return "";
    const digits = toHex(bytes);
    connection.written(bytes, 0);
    return digits;
  };
  return { connection, streams, ends, output };
}

const PREFACE = "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a";
const EMPTY_SETTINGS = "000000040000000000";
const SETTINGS_ACK = "000000040100000000";
/** Header table 4096, window 1048576, frame 16384, header list 16384, then what differs by role. */
const OUR_SETTINGS = "00001e040000000000" + "000100001000" + "000400100000" + "000500004000" + "000600004000";

Deno.test("golden trace: a server greets, answers a call with DATA and trailers, and encodes the next one shorter", () => {
  const ok = new PreparedHeaders([[":status", "200"], ["content-type", "application/grpc"]]);
  const end = new PreparedHeaders([["grpc-status", "0"]]);
  const { connection, streams, output } = open("server", (stream) => {
    connection.outbound.headers(stream, ok, false);
    connection.outbound.data(stream, hex("0000000002"), hex("0801"), false);
    connection.outbound.trailers(stream, end);
  });
  connection.receive(hex(PREFACE + EMPTY_SETTINGS), 0);
  assert.equal(output(), OUR_SETTINGS + "000300000100" + SETTINGS_ACK);

  // POST http / with te: trailers, its body "hi", END_STREAM.
  const call = (id: string, block: string) =>
    `0000${(block.length / 2).toString(16).padStart(2, "0")}0104000000${id}${block}` + `0000020001000000${id}6869`;
  connection.receive(hex(call("01", "838684400274650874" + "7261696c657273")), 0);
  assert.deepEqual(streams[0]!.headers, [[":method", "POST"], [":scheme", "http"], [":path", "/"], ["te", "trailers"]]);
  // HEADERS 200 (static 8), content-type by Huffman into the table; DATA; HEADERS grpc-status: 0 into the table, END_STREAM;
  // the request had not ended by then, so RST_STREAM(NO_ERROR).
  assert.equal(
    output(),
    "00000e" + "0104" + "00000001" + "885f" + "8b1d75d0620d263d4c4d6564" +
      "000007" + "0000" + "00000001" + "00000000020801" +
      "00000c" + "0105" + "00000001" + "40889acac8b21234da8f" + "0130" +
      "000004" + "0300" + "00000001" + "00000000",
  );

  connection.receive(hex(call("03", "838684be")), 0);
  assert.equal(
    output(),
    "000002" + "0104" + "00000003" + "88bf" +
      "000007" + "0000" + "00000003" + "00000000020801" +
      "000001" + "0105" + "00000003" + "be" +
      "000004" + "0300" + "00000003" + "00000000",
  );
});

Deno.test("golden trace: a client greets, calls, and hears answer, trailers and end", () => {
  const { connection, output } = open("client");
  assert.equal(output(), PREFACE + OUR_SETTINGS + "000200000000");
  connection.receive(hex(EMPTY_SETTINGS + SETTINGS_ACK), 0);
  assert.equal(output(), SETTINGS_ACK);

  const stream = new Recorded();
  connection.open(stream, [[":method", "POST"], [":scheme", "http"], [":path", "/"], ["x-a", "b"]], false);
  connection.outbound.data(stream, hex("6869"), new Uint8Array(0), true);
  assert.equal(
    output(),
    "00000a010400000001" + "838684" + "0003782d610162" + "000002000100000001" + "6869",
  );

  connection.receive(
    hex("000001010400000001" + "88" + "000003000000000001" + "796573" + "000005010500000001" + "0001780179"),
    0,
  );
  assert.deepEqual(stream.log, ['headers [[":status","200"]]', "data yes", 'end [["x","y"]]', "closed"]);
  assert.equal(connection.streams.size, 0);
});

Deno.test("golden trace: a ping is answered, a connection error says what was wrong and is the last word", () => {
  const { connection, ends, output } = open("server");
  connection.receive(hex(PREFACE + EMPTY_SETTINGS), 0);
  output();
  connection.receive(hex("000008060000000000" + "0102030405060708"), 0);
  assert.equal(output(), "000008060100000000" + "0102030405060708");
  connection.receive(hex("000001060000000000" + "00"), 0);
  const message = "PING frame has a wrong length (FRAME_SIZE_ERROR)";
  const payload = "00000000" + "0000000" + ErrorCode.FRAME_SIZE_ERROR + toHex(new TextEncoder().encode(message));
  assert.equal(output(), `0000${(payload.length / 2).toString(16)}070000000000${payload}`);
  assert.deepEqual(ends, [message]);
  connection.receive(hex("000008060000000000" + "0102030405060708"), 0);
  assert.equal(output(), "");
});

Deno.test("golden trace: shutdown takes two GOAWAY and a ping, and lets calls on their way finish", () => {
  const { connection, streams, ends, output } = open("server");
  connection.receive(hex(PREFACE + EMPTY_SETTINGS + SETTINGS_ACK), 0);
  output();
  connection.shutdown();
  assert.equal(output(), "000008070000000000" + "7fffffff00000000" + "000008060000000000" + "0000000000000001");
  // A call that was on its way, then the answer to the ping.
  connection.receive(hex("000003010500000001" + "838684" + "000008060100000000" + "0000000000000001"), 0);
  assert.equal(output(), "000008070000000000" + "0000000100000000");
  assert.deepEqual(ends, []);
  // One that came too late is not taken.
  connection.receive(hex("000003010500000003" + "838684"), 0);
  assert.equal(streams.length, 1);
  connection.outbound.headers(streams[0]!, [[":status", "204"]], true);
  assert.equal(output(), "000001010500000001" + "89");
  assert.deepEqual(ends, [null]);
});
