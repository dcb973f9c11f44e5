import { RpcError, Status } from "../rpc/mod.ts";
import type { Entry } from "../schema/mod.ts";
import { decodeFrame, encodeControl, EntryAction } from "./frame.ts";
import { type HelloInfo, helloInfo } from "./hello.ts";
import type { NotifyLimits } from "./limits.ts";
import type { ChildInfo } from "./owned_table.ts";
import type { Position, Sender } from "./sender.ts";

/** What a stream asks of its hub. */
export interface HubSide {
  readonly limits: NotifyLimits;
  /** Takes an entry that the child owns, or a message of it. @throws {RpcError} to end the stream. */
  take(stream: HubStream, entry: Entry): void;
}

/** What a stream has received. */
export interface ReceivedCounts {
  frames: number;
  bytes: number;
  entries: number;
}

/** One child's stream on the parent's side, without I/O: frames go in, frames are pulled out. */
export class HubStream {
  readonly received: ReceivedCounts = { frames: 0, bytes: 0, entries: 0 };
  readonly #side: HubSide;
  #child: ChildInfo | undefined;
  #owns: readonly string[] = [];
  #sender: Sender | undefined;
  #farewell: Uint8Array | undefined;
  #greeting: Uint8Array | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(side: HubSide) {
    this.#side = side;
  }

  /** Who it is, once admitted. */
  get child(): ChildInfo | undefined {
    return this.#child;
  }

  /** Its sending half, once admitted. */
  get sender(): Sender | undefined {
    return this.#sender;
  }

  /** Whether it takes and gives nothing any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads the first frame. @throws {RpcError} when it is no hello. */
  static hello(bytes: Uint8Array): { hello: HelloInfo; held: Map<string, Position> } {
    const { hello } = read(bytes);
    if (!hello) throw new RpcError(Status.INVALID_ARGUMENT, "The first frame must be a hello");
    const held = new Map<string, Position>();
    for (const { kind, epoch, revision } of hello.wants) if (epoch !== "") held.set(kind, { epoch, revision });
    try {
      return { hello: helloInfo(hello), held };
    } catch (error) {
      throw new RpcError(Status.INVALID_ARGUMENT, error instanceof Error ? error.message : "The hello makes no sense");
    }
  }

  /** Lets the child in. */
  admit(child: ChildInfo, owns: readonly string[], sender: Sender, greeting: Uint8Array): void {
    this.#child = child;
    this.#owns = owns;
    this.#sender = sender;
    this.#greeting = greeting;
    this.wake();
  }

  /** Ends the stream with the reason as its last frame. */
  refuse(reason: string, retryAfterMs = 0): void {
    if (this.#ended || this.#farewell) return;
    this.#farewell = encodeControl({ refusal: { reason, retryAfterMs } });
    this.wake();
  }

  /** Takes a frame of an admitted child. @throws {RpcError} to end the stream. */
  receive(bytes: Uint8Array): void {
    if (this.#ended || this.#farewell) return;
    const { batch } = read(bytes);
    if (!batch) throw new RpcError(Status.INVALID_ARGUMENT, "After the hello only batches may follow");
    this.received.frames++;
    this.received.bytes += bytes.length;
    this.received.entries += batch.entries.length;
    const { keyBytes, objectBytes } = this.#side.limits;
    for (const entry of batch.entries) {
      if (entry.action !== EntryAction.MESSAGE && !this.#owns.includes(entry.kind)) {
        throw new RpcError(Status.PERMISSION_DENIED, `Kind ${JSON.stringify(entry.kind)} was not agreed on`);
      }
      if (entry.key.length > keyBytes) {
        throw new RpcError(Status.INVALID_ARGUMENT, `A key is longer than ${keyBytes} bytes`);
      }
      if (entry.value.length > objectBytes) {
        throw new RpcError(Status.INVALID_ARGUMENT, `An object is larger than ${objectBytes} bytes`);
      }
      this.#side.take(this, entry);
      if (this.#ended) return;
    }
  }

  /** The next frame to send; undefined: nothing now. */
  pull(): Uint8Array | undefined {
    if (this.#ended) return undefined;
    if (this.#farewell) {
      const farewell = this.#farewell;
      this.end();
      return farewell;
    }
    const greeting = this.#greeting;
    if (greeting) {
      this.#greeting = undefined;
      return greeting;
    }
    return this.#sender?.pull();
  }

  /** Says that {@linkcode pull} may have something. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when there may be something to pull, or the stream has ended. */
  waiting(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** The connection is gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sender?.lane.clear();
    this.wake();
  }
}

function read(bytes: Uint8Array): ReturnType<typeof decodeFrame> {
  try {
    return decodeFrame(bytes);
  } catch (cause) {
    throw new RpcError(Status.INVALID_ARGUMENT, "The frame cannot be decoded", { cause });
  }
}
