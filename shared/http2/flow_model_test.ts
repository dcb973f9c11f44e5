import assert from "node:assert/strict";
import fc from "fast-check";
import { Connection, type Role } from "./core/connection.ts";
import { ErrorCode, Flag, FrameType, SettingId } from "./core/constants.ts";
import { DEFAULT_LIMITS, type Http2Limits } from "./core/limits.ts";
import { ConnectionStream } from "./stream.ts";
import { concat, type Frame, parseFrames, request } from "./testing/frames.ts";
import { memoryPair } from "./transport/memory.ts";

/*
 * A model of flow control: a client and a server of ours, wired octet by octet, do what chance says: open, write, read, end,
 * reset, change windows, deliver in pieces. However it goes, every octet arrives once and in order, or its stream ends with a
 * reason; nobody passes a window (the other side would end the connection), and nobody holds more than allowed.
 */

const PEER = memoryPair()[0].peer;

/** One direction of one exchange. */
interface Flow {
  readonly from: ConnectionStream;
  to: ConnectionStream | null;
  written: number;
  read: number;
  ended: boolean;
  sawEnd: boolean;
}

/** The octet at a place of a flow. */
function octet(flow: number, at: number): number {
  return (flow * 31 + at * 7 + (at >>> 8)) & 0xff;
}

/** What a sender may send, reckoned from the frames alone. */
class SenderModel {
  #rest: Uint8Array = new Uint8Array(0);
  #connection = 65_535;
  #initial = 65_535;
  #shrink = 0;
  readonly #streams = new Map<number, number>();

  /** Frames on their way to the sender: windows that open count from now on, those that shrink only behind what it sends now. */
  hear(bytes: Uint8Array): void {
    this.#rest = concat(this.#rest, bytes);
    for (;;) {
      const frame = firstFrame(this.#rest);
      if (frame === null) return;
      this.#rest = this.#rest.slice(9 + frame.payload.length);
      const view = new DataView(frame.payload.buffer);
      if (frame.type === FrameType.WINDOW_UPDATE) this.#add(frame.id, view.getUint32(0));
      if (frame.type !== FrameType.SETTINGS || (frame.flags & Flag.ACK) !== 0) continue;
      for (let at = 0; at < frame.payload.length; at += 6) {
        if (view.getUint16(at) === SettingId.INITIAL_WINDOW_SIZE) this.#resize(view.getUint32(at + 2));
      }
    }
  }

  /** Frames that the sender has just written. */
  say(frames: readonly Frame[]): void {
    for (const { type, id, payload } of frames) {
      if (type === FrameType.HEADERS && !this.#streams.has(id)) this.#streams.set(id, this.#initial + this.#shrink);
      if (type !== FrameType.DATA || payload.length === 0) continue;
      this.#connection -= payload.length;
      this.#streams.set(id, this.#streams.get(id)! - payload.length);
      assert.ok(this.#connection >= 0, "DATA exceeds the window of the connection");
      assert.ok(this.#streams.get(id)! >= 0, `DATA exceeds the window of stream ${id}`);
    }
    for (const [id, window] of this.#streams) this.#streams.set(id, window - this.#shrink);
    this.#shrink = 0;
  }

  #add(id: number, bytes: number): void {
    if (id === 0) this.#connection += bytes;
    else if (this.#streams.has(id)) this.#streams.set(id, this.#streams.get(id)! + bytes);
  }

  #resize(initial: number): void {
    const change = initial - this.#initial;
    this.#initial = initial;
    if (change < 0) this.#shrink -= change;
    else for (const [id, window] of this.#streams) this.#streams.set(id, window + change);
  }
}

function firstFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < 9) return null;
  const length = bytes[0]! << 16 | bytes[1]! << 8 | bytes[2]!;
  return bytes.length < 9 + length ? null : parseFrames(bytes.slice(0, 9 + length))[0]!;
}

class World {
  readonly limits: Http2Limits;
  readonly connections: Record<Role, Connection<ConnectionStream>>;
  readonly wires: Record<Role, Uint8Array[]> = { client: [], server: [] };
  readonly taken: Record<Role, Uint8Array | null> = { client: null, server: null };
  readonly flows: Flow[] = [];
  readonly pairs: { client: ConnectionStream; server: ConnectionStream | null; up: Flow; down: Flow }[] = [];
  readonly errors: Error[] = [];
  readonly models: Record<Role, SenderModel> = { client: new SenderModel(), server: new SenderModel() };
  /** Octets of the present output that the model has seen; the client's first are its preface. */
  readonly seen: Record<Role, number> = { client: 24, server: 0 };
  settled = 0;
  waiting = 0;

  constructor(limits: Partial<Http2Limits>) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.connections = { client: this.#connection("client"), server: this.#connection("server") };
  }

  #connection(role: Role): Connection<ConnectionStream> {
    const connection: Connection<ConnectionStream> = new Connection<ConnectionStream>({
      role,
      limits: this.limits,
      now: 0,
      events: {
        createStream: () => new ConnectionStream(connection, PEER, (_, error) => this.errors.push(error as Error)),
        onStream: (stream) => this.#accepted(stream),
        onOutput() {},
        onClosed: (error) => error !== null && this.errors.push(error),
      },
    });
    return connection;
  }

  #accepted(stream: ConnectionStream): void {
    const pair = this.pairs.find(({ client }) => client.id === stream.id)!;
    pair.server = stream;
    pair.up.to = stream;
    const down = { ...pair.down, from: stream };
    this.flows[this.flows.indexOf(pair.down)] = down;
    pair.down = down;
    stream.respond([[":status", "200"]]);
  }

  open(): void {
    const client = new ConnectionStream(this.connections.client, PEER, (_, error) => this.errors.push(error as Error));
    const up: Flow = { from: client, to: null, written: 0, read: 0, ended: false, sawEnd: false };
    // Until the server has the stream, nothing is written downwards: `from` is put right then.
    const down: Flow = { from: client, to: client, written: 0, read: 0, ended: false, sawEnd: false };
    this.flows.push(up, down);
    this.pairs.push({ client, server: null, up, down });
    this.connections.client.open(client, request(), false);
  }

  write(which: number, count: number, end: boolean): void {
    const index = which % Math.max(1, this.flows.length);
    const flow = this.flows[index];
    if (flow === undefined || flow.ended || flow.from === flow.to || flow.from.closed) return;
    if (flow.from.queuedBytes > 100_000) return; // The limit of those who do not wait is another test.
    const bytes = Uint8Array.from({ length: count }, (_, at) => octet(index, flow.written + at));
    const cut = count >>> 1;
    flow.written += count;
    flow.ended = end;
    const done = end ? flow.from.end(bytes.subarray(0, cut), bytes.subarray(cut)) : flow.from.write(bytes);
    if (done === undefined) return;
    this.waiting++;
    done.then(() => this.settled++, () => this.settled++);
  }

  read(which: number): void {
    const index = which % Math.max(1, this.flows.length);
    const flow = this.flows[index];
    if (flow?.to == null || flow.to.closeError !== null) return;
    const bytes = flow.to.tryRead();
    if (bytes === undefined) return;
    if (bytes === null) {
      // A server's rest of a request is dropped when it has answered; a client's answer never is.
      if (flow.to === this.pairs.find(({ client }) => client === flow.to)?.client) {
        assert.equal(flow.read, flow.written);
      }
      flow.sawEnd = true;
      return;
    }
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] !== octet(index, flow.read + at)) assert.fail(`Flow ${index} differs at ${flow.read + at}`);
    }
    flow.read += bytes.length;
    assert.ok(flow.read <= flow.written);
  }

  reset(which: number, role: Role): void {
    const pair = this.pairs[which % Math.max(1, this.pairs.length)];
    pair?.[role]?.reset(ErrorCode.CANCEL);
  }

  /** Moves up to `count` octets from one side to the other; what is moved whole counts as written. */
  deliver(from: Role, count: number): void {
    const connection = this.connections[from];
    if (this.taken[from] === null) {
      this.#model();
      this.seen[from] = 0;
      const output = connection.takeOutput();
      if (output === null) return;
      this.taken[from] = output;
      this.wires[from] = [output.slice()];
      assert.ok(output.length <= this.limits.outputBytes + 40_000, `${output.length} octets of output`);
    }
    const bytes = this.wires[from][0]!;
    const part = bytes.subarray(0, count);
    const to = from === "client" ? "server" : "client";
    const skip = from === "client" ? Math.max(0, 24 - this.#delivered) : 0;
    if (from === "client") this.#delivered += part.length;
    this.models[to].hear(part.subarray(skip));
    this.connections[to].receive(part, 0);
    this.wires[from] = [bytes.subarray(part.length)];
    if (part.length < bytes.length) return;
    const taken = this.taken[from]!;
    this.taken[from] = null;
    connection.written(taken, 0);
  }

  #delivered = 0;

  /** Shows the models what was written since. */
  #model(): void {
    for (const role of ["client", "server"] as const) {
      const { output } = this.connections[role].outbound;
      if (output.length <= this.seen[role]) continue;
      this.models[role].say(parseFrames(output.buffer.slice(this.seen[role], output.length)));
      this.seen[role] = output.length;
    }
  }

  check(): void {
    assert.deepEqual(this.errors, []);
    this.#model();
    for (const { from, to } of this.flows) {
      for (const error of [from.closeError, to?.closeError]) {
        // Refused: opened before the client knew how many it may.
        if (error) assert.ok(error.code === ErrorCode.CANCEL || error.code === ErrorCode.REFUSED_STREAM, error.message);
      }
    }
    for (const role of ["client", "server"] as const) {
      const { heldBytes } = this.connections[role].window;
      assert.ok(heldBytes >= 0 && heldBytes <= this.limits.maxBufferedBytesPerConnection + 16_384, `${heldBytes} held`);
    }
  }
}

const which = fc.integer({ min: 0, max: 40 });
const role = fc.constantFrom<Role>("client", "server");
const action: fc.Arbitrary<(world: World) => void> = fc.oneof(
  { weight: 2, arbitrary: fc.constant((world: World) => world.open()) },
  {
    weight: 8,
    arbitrary: fc.tuple(which, fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 5 })).map(
      ([flow, count, end]) => (world: World) => world.write(flow, count, end === 0),
    ),
  },
  { weight: 6, arbitrary: which.map((flow) => (world: World) => world.read(flow)) },
  {
    weight: 10,
    arbitrary: fc.tuple(role, fc.constantFrom(1, 8, 100, 5_000, 100_000)).map(([from, count]) => (world: World) =>
      world.deliver(from, count)
    ),
  },
  { weight: 1, arbitrary: fc.tuple(which, role).map(([pair, side]) => (world: World) => world.reset(pair, side)) },
  {
    weight: 1,
    arbitrary: fc.tuple(role, fc.integer({ min: 0, max: 100_000 })).map(([side, streamWindowBytes]) => (world: World) =>
      world.connections[side].updateSettings({ streamWindowBytes })
    ),
  },
);

const limits = fc.record({
  streamWindowBytes: fc.constantFrom(1, 1_000, 65_535, 262_144),
  connectionWindowBytes: fc.constantFrom(65_535, 100_000, 1_048_576),
  maxBufferedBytesPerConnection: fc.constantFrom(1_100_000, 8_388_608),
  outputBytes: fc.constantFrom(1_000, 65_536),
  maxConcurrentStreams: fc.constantFrom(2, 256),
  controlFrameBurst: fc.constant(1_000_000),
});

Deno.test("every octet arrives once and in order, or its stream ends with a reason", async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(action, { minLength: 20, maxLength: 150 }), async (limits, actions) => {
      const world = new World(limits);
      for (const act of actions) {
        act(world);
        world.check();
      }
      // Everybody ends, everything is delivered and read.
      for (const role of ["client", "server"] as const) {
        world.connections[role].updateSettings({ streamWindowBytes: 65_535 });
      }
      for (let turn = 0; turn < 5_000; turn++) {
        world.deliver("client", 100_000);
        world.deliver("server", 100_000);
        for (const index of world.flows.keys()) {
          world.write(index, 0, true);
          world.read(index);
        }
        world.check();
        if (world.flows.every(({ from, to, sawEnd }) => sawEnd || from.closeError !== null || to?.closeError)) break;
      }
      for (let turn = 0; turn < 10; turn++) {
        world.deliver("client", 1_000_000);
        world.deliver("server", 1_000_000);
      }
      for (const [index, { from, to, read, written, sawEnd }] of world.flows.entries()) {
        if (from.closeError !== null || to?.closeError) continue;
        assert.ok(sawEnd, `Flow ${index} has no end: ${read} of ${written}`);
      }
      await Promise.resolve();
      await Promise.resolve();
      assert.equal(world.settled, world.waiting);
      assert.equal(world.connections.client.window.heldBytes, 0);
      assert.equal(world.connections.server.window.heldBytes, 0);
      assert.equal(world.connections.server.streams.size, 0);
    }),
    { numRuns: 150 },
  );
});
