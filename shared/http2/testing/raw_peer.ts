import type { Transport, TransportSink } from "../transport/types.ts";
import { concat, type Frame, PeerHpack } from "./frames.ts";

/** How long tests wait for what must come, in milliseconds: long, for machines that are busy. */
export const DEADLINE_MS = 30_000;

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A peer written by hand: sends what octets it likes and keeps the frames that come back. */
export class RawPeer implements TransportSink {
  readonly hpack = new PeerHpack();
  readonly frames: Frame[] = [];
  /** Writes received: what left the other side at once. */
  readonly chunks: number[] = [];
  ended = false;
  #rest: Uint8Array = new Uint8Array(0);
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.start(this);
  }

  /** Octets that are no whole frame yet, such as the answer to HTTP/1.1. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  /** Sends octets; resolves when the other side has taken them. */
  send(...parts: Uint8Array[]): Promise<void> {
    return this.#transport.write(concat(...parts));
  }

  /** Closes the connection. */
  close(): void {
    this.#transport.close();
  }

  /** The first frame that fits, waiting for it; it is taken out of `frames`. */
  async next(fits: (frame: Frame) => boolean, what: string): Promise<Frame> {
    await until(() => this.frames.some(fits) || this.ended, what);
    const at = this.frames.findIndex(fits);
    if (at < 0) throw new Error(`Connection ended before ${what}`);
    return this.frames.splice(at, 1)[0]!;
  }

  /** The next frame of a type, on a stream. */
  nextOf(type: number, id?: number): Promise<Frame> {
    return this.next((frame) => frame.type === type && (id === undefined || frame.id === id), `frame ${type} on ${id}`);
  }

  data(bytes: Uint8Array): void {
    this.chunks.push(bytes.length);
    let all = concat(this.#rest, bytes);
    while (all.length >= 9) {
      const length = all[0]! << 16 | all[1]! << 8 | all[2]!;
      if (all.length < 9 + length) break;
      const id = new DataView(all.buffer, all.byteOffset + 5).getUint32(0) & 0x7fffffff;
      this.frames.push({ type: all[3]!, flags: all[4]!, id, payload: all.slice(9, 9 + length) });
      all = all.slice(9 + length);
    }
    this.#rest = all;
  }

  end(): void {
    this.ended = true;
  }
}
