import { Connection, type Role } from "../core/connection.ts";
import { CLIENT_PREFACE, ErrorCode, Flag, FrameType } from "../core/constants.ts";
import { DEFAULT_LIMITS, type Http2Limits } from "../core/limits.ts";
import { type HeaderField, HpackEncoder } from "../hpack/mod.ts";
import { ConnectionStream } from "../stream.ts";
import { MemoryTransport } from "../transport/memory.ts";
import { concat, frame, HELLO, parseFrames, request, settings, u32 } from "./frames.ts";

/** A generator of numbers that repeats itself for a seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) | 1;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % below;
  }

  /** One of the choices. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Random octets. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Small limits, so that they are met often. */
const LIMITS: Http2Limits = {
  ...DEFAULT_LIMITS,
  maxConcurrentStreams: 8,
  maxHeaderListBytes: 600,
  maxHeaderFields: 12,
  headerTableBytes: 300,
  streamWindowBytes: 3_000,
  connectionWindowBytes: 65_535,
  maxBufferedBytesPerConnection: 70_000,
  maxBufferedBytes: 60_000,
  outputBytes: 2_000,
  maxOutputBytes: 30_000,
  maxPendingStreams: 4,
  resetBurst: 5,
  controlFrameBurst: 14,
  drainTimeoutMs: 3_000,
};

const MEMORY = new MemoryTransport({
  transport: "memory",
  remoteAddress: null,
  localAddress: null,
  alpn: "h2",
  certificate: null,
});

const FIELDS: readonly HeaderField[] = [
  [":method", "GET"],
  [":path", "/"],
  [":status", "200"],
  [":status", "103"],
  ["te", "trailers"],
  ["content-length", "3"],
  ["connection", "close"],
  ["X-Upper", "a"],
  ["x-long", "v".repeat(250)],
  ["", "empty"],
];

/** What a fuzzed connection was seen to do; for the tests of the fuzzer itself. */
export interface FuzzOutcome {
  readonly streams: number;
  readonly ended: string | null;
}

/**
 * Feeds one random life to a connection: structured frames, raw octets, or both.
 *
 * @throws {Error} when an exception escapes, a limit is passed or what we sent is not well-formed.
 */
export function fuzzOne(seed: number): FuzzOutcome {
  const random = new Random(seed);
  const role: Role = random.below(4) === 0 ? "client" : "server";
  const life = new Life(random, role);
  const raw = random.below(20) === 0;
  if (role === "server" && random.below(20) !== 0) life.feed(HELLO);
  if (role === "client" && random.below(20) !== 0) life.feed(frame(FrameType.SETTINGS, 0, 0));
  if (role === "client") life.openOurs();
  const steps = 1 + random.below(random.pick([10, 60, 150]));
  for (let step = 0; step < steps; step++) {
    if (raw) life.feed(random.bytes(random.below(60)));
    else life.feed(corrupt(random, randomFrame(random, life)));
    if (random.below(4) === 0) life.act();
  }
  return life.finish();
}

/** A connection under fire, with users that do all that users do. */
class Life {
  readonly encoder = new HpackEncoder({ tableBytes: 4_096 });
  readonly #random: Random;
  readonly #connection: Connection<ConnectionStream>;
  readonly #seen: ConnectionStream[] = [];
  /** Streams that the peer has opened, or would answer at a client. */
  streams = 0;
  #now = 0;
  #ended: string | null = null;
  #ends = 0;
  #prefaced: boolean;

  /** Whether we are the server. */
  readonly server: boolean;

  constructor(random: Random, role: Role) {
    this.#random = random;
    this.server = role === "server";
    this.#prefaced = role === "server";
    this.#connection = new Connection<ConnectionStream>({
      role,
      limits: LIMITS,
      now: 0,
      events: {
        createStream: () => this.#create(),
        onStream: (stream) => this.#use(stream),
        onOutput() {},
        onClosed: (error) => {
          this.#ended = error?.message ?? "in order";
          this.#ends++;
          if (error !== null && "code" in error && error.code === ErrorCode.INTERNAL_ERROR) throw error;
        },
      },
    });
  }

  /** The next stream that the peer may open. */
  get nextId(): number {
    return 1 + 2 * this.streams;
  }

  /** Takes the next stream's identifier. */
  open(): number {
    const id = this.nextId;
    this.streams++;
    return id;
  }

  #create(): ConnectionStream {
    const stream = new ConnectionStream(this.#connection, MEMORY.peer, (_, error) => {
      if (!(error instanceof Error) || error.name !== "StreamClosedError") throw error;
    });
    return stream;
  }

  /** A handler: now one kind, now another. */
  #use(stream: ConnectionStream): void {
    this.#seen.push(stream);
    const random = this.#random;
    switch (random.below(6)) {
      case 0:
        return stream.collect(random.below(5_000), (error, body) => {
          if (error === null) stream.respondWhole([[":status", "200"]], body, new Uint8Array(0), [["x-end", "1"]]);
        });
      case 1:
        stream.respond([[":status", "200"]]);
        stream.write(new Uint8Array(random.below(20_000)));
        return;
      case 2:
        return stream.respond([[":status", "204"]], true);
      case 3:
        return stream.reset(ErrorCode.CANCEL);
      case 4:
        return this.#connection.pin(stream);
      default:
        return;
    }
  }

  /** Opens streams of ours (client). */
  openOurs(): void {
    for (let count = this.#random.below(10); count > 0 && !this.#connection.closed; count--) this.#openOne();
  }

  #openOne(): void {
    if (this.#connection.draining || this.#connection.closed) return;
    if (this.#connection.pendingStreams >= LIMITS.maxPendingStreams) return;
    const stream = this.#create();
    this.#seen.push(stream);
    this.#connection.open(stream, request(), this.#random.below(2) === 0);
    if (this.#random.below(2) === 0) stream.collect(this.#random.below(9_000), () => {});
    this.streams = Math.max(this.streams, (stream.id + 1) >> 1);
  }

  /** What users do at any time. */
  act(): void {
    const random = this.#random;
    const connection = this.#connection;
    const stream = this.#seen[random.below(this.#seen.length + 1)];
    switch (random.below(10)) {
      case 0:
        this.#now += random.below(20_000);
        return connection.tick(this.#now);
      case 1:
        return connection.shutdown();
      case 2:
        return connection.sendPing(() => {});
      case 3:
        return connection.updateSettings({ streamWindowBytes: random.below(10_000) });
      case 4:
        return connection.role === "client" ? this.#openOne() : undefined;
      case 5:
        return stream?.reset();
      case 6:
        if (stream?.closed === false) stream.discard();
        return;
      case 7:
        if (stream?.closeError === null) stream.tryRead();
        return;
      case 8:
        if (stream?.closed === false && !stream.ending) stream.end(new Uint8Array(random.below(3_000)));
        return;
      default:
        this.#drain();
    }
  }

  /** Octets from the peer, whole or in two pieces. */
  feed(bytes: Uint8Array): void {
    const cut = this.#random.below(3) === 0 ? this.#random.below(bytes.length + 1) : 0;
    if (cut > 0) this.#connection.receive(bytes.subarray(0, cut), this.#now);
    this.#connection.receive(bytes.subarray(cut), this.#now);
    this.#check();
  }

  /** Ends the connection and checks that nothing is left. */
  finish(): FuzzOutcome {
    this.#drain();
    this.#connection.lost(this.#random.below(2) === 0 ? null : new Error("Transport failed"), this.#now);
    this.#check();
    const connection = this.#connection;
    if (this.#ends !== 1) throw new Error(`Connection ended ${this.#ends} times`);
    for (const stream of this.#seen) {
      if (!stream.closed) throw new Error(`Stream ${stream.id} outlives its connection`);
      if (stream.closeError === null) stream.discard(); // What a client has not read yet.
      if (stream.pins > 0) connection.unpin(stream);
    }
    if (connection.window.heldBytes !== 0) throw new Error(`${connection.window.heldBytes} octets are held for nobody`);
    if (connection.budget.usedBytes !== 0) throw new Error("Budget is not given back");
    if (connection.occupied !== 0) throw new Error(`${connection.occupied} places are taken by nobody`);
    return { streams: this.#seen.length, ended: this.#ended };
  }

  #check(): void {
    const { window, outbound, occupied, pendingStreams } = this.#connection;
    if (window.heldBytes < 0 || window.heldBytes > LIMITS.maxBufferedBytes + 16_384) {
      throw new Error(`${window.heldBytes} octets are held`);
    }
    // One frame of headers and one of GOAWAY may come on top.
    if (outbound.output.length > LIMITS.maxOutputBytes + 2_000) {
      throw new Error(`${outbound.output.length} octets wait`);
    }
    if (occupied > LIMITS.maxConcurrentStreams && this.#connection.role === "server") {
      throw new Error(`${occupied} streams`);
    }
    if (pendingStreams > LIMITS.maxPendingStreams) throw new Error(`${pendingStreams} streams wait`);
  }

  /** Takes the output and checks that it is of whole frames. */
  #drain(): void {
    const output = this.#connection.takeOutput();
    if (output === null) return;
    let frames = output;
    if (!this.#prefaced) {
      this.#prefaced = true;
      frames = output.slice(CLIENT_PREFACE.length);
    }
    if (!(output[0] === 0x48 && output[1] === 0x54)) { // "HT": the answer to HTTP/1.1.
      for (const { payload, type } of parseFrames(frames)) {
        if (type === FrameType.DATA && payload.length > this.#connection.peerSettings.maxFrameBytes) {
          throw new Error(`DATA frame of ${payload.length} octets`);
        }
      }
    }
    this.#connection.written(output, this.#now);
  }
}

/** A frame that makes sense, more or less. */
function randomFrame(random: Random, life: Life): Uint8Array {
  // Mostly a stream that there has been; now and then one that there cannot be.
  const known = 1 + 2 * random.below(Math.max(1, life.streams));
  const id = random.below(250) === 0 ? random.pick([0, 2, 0x7fffffff, life.nextId + 2]) : known;
  const end = random.pick([0, Flag.END_STREAM]);
  if (life.streams === 0 && life.server) return headers(random, life, life.open(), end);
  switch (random.below(14)) {
    case 0:
    case 1:
      return headers(random, life, life.server ? life.open() : id, end);
    case 2:
      return headers(random, life, id, end);
    case 3:
    case 4:
      return frame(FrameType.DATA, end, id, random.bytes(random.pick([0, 1, 3, 700, 3_000])));
    case 5:
      return frame(
        FrameType.DATA,
        end | Flag.PADDED,
        id,
        concat([random.below(20)], random.bytes(18 + random.below(30))),
      );
    case 6:
      return frame(
        FrameType.WINDOW_UPDATE,
        0,
        id,
        u32(random.pick([1, 1, 100, 1_000, 1_000, random.pick([0, 0x7fffffff, 0xffffffff])])),
      );
    case 7:
      return random.below(4) === 0
        ? settings([random.below(8), random.pick([0, 1, 100, 16_384, 65_535, 0x7fffffff, 0xffffffff])])
        : settings([random.pick([1, 3, 4, 6]), random.pick([0, 1, 100, 16_384, 65_535])]);
    case 8:
      return frame(FrameType.RST_STREAM, 0, id, u32(random.below(16)));
    case 9:
      return frame(
        FrameType.PING,
        random.below(2),
        0,
        random.below(400) === 0 ? u32(0) : concat(u32(0), u32(1)),
      );
    case 10:
      return frame(
        FrameType.GOAWAY,
        0,
        0,
        concat(u32(random.below(8)), u32(random.below(3)), random.bytes(random.below(5))),
      );
    case 11:
      return frame(FrameType.PRIORITY, 0, id, concat(u32(random.below(9)), [1]));
    case 12:
      return frame(FrameType.SETTINGS, Flag.ACK, 0);
    default:
      if (random.below(8) === 0) return frame(random.below(256), random.below(256), id, random.bytes(random.below(40)));
      return frame(0x20 + random.below(100), random.below(256), id, random.bytes(random.below(40)));
  }
}

function headers(random: Random, life: Life, id: number, end: number): Uint8Array {
  const list = random.below(12) > 0 === life.server ? [...request()] : [[":status", "200"] as const];
  for (let more = random.below(3) === 0 ? random.below(4) : 0; more > 0; more--) {
    list.splice(random.below(list.length + 1), random.below(5) === 0 ? 1 : 0, random.pick(FIELDS));
  }
  const block = life.encoder.encode(list).slice();
  if (random.below(8) > 0) return frame(FrameType.HEADERS, end | Flag.END_HEADERS, id, block);
  const cut = random.below(block.length + 1);
  return concat(
    frame(FrameType.HEADERS, end, id, block.subarray(0, cut)),
    frame(FrameType.CONTINUATION, Flag.END_HEADERS, id, block.subarray(cut)),
  );
}

/** Now and then changes an octet, cuts some away or doubles them. */
function corrupt(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.below(200) > 0) return bytes;
  const changed = bytes.slice();
  switch (random.below(3)) {
    case 0:
      changed[random.below(changed.length)] = random.below(256);
      return changed;
    case 1:
      return changed.subarray(0, random.below(changed.length));
    default:
      return concat(changed, changed);
  }
}
