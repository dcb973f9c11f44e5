import { RpcError, Status } from "../rpc/mod.ts";
import type { Entry } from "../schema/mod.ts";
import type { ChangeList } from "./change_list.ts";
import { decodeFrame, encodeControl, encodeEntry, EntryAction } from "./frame.ts";
import { type HelloInfo, helloInfo, versionRefusal } from "./hello.ts";
import { type NotifyLimits, PROTOCOL_VERSION } from "./limits.ts";
import type { ReplicaState } from "./replica.ts";
import { type Position, Sender } from "./sender.ts";

/** What a session needs of its client. */
export interface SessionParts {
  readonly service: string;
  readonly region: string;
  readonly cloudlet: string;
  readonly instance: string;
  readonly replicas: ReadonlyMap<string, ReplicaState>;
  /** Scopes of the kinds of which not everything is wanted. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** Change lists of what the child owns. */
  readonly owned: readonly ChangeList[];
  readonly limits: NotifyLimits;
  /** Takes a message. */
  onMessage(entry: Entry): void;
  /** Told whenever a kind may have come into step. */
  onProgress(): void;
}

/** Why a parent has refused, and how long it wants to be left alone. */
export interface RefusedByParent {
  readonly reason: string;
  readonly retryAfterMs: number;
}

/** One connection of a child, without I/O: frames go in, frames are pulled out. */
export class ClientSession {
  readonly #parts: SessionParts;
  readonly #sender: Sender;
  #hello: Uint8Array | undefined;
  #parent: HelloInfo | undefined;
  #refused: RefusedByParent | undefined;
  #ended = false;
  #wake: (() => void) | undefined;
  /** Entries of the frame that was taken last, and how many of them have been applied. */
  #entries: readonly Entry[] = [];
  #applied = 0;
  receivedFrames = 0;
  receivedBytes = 0;
  receivedEntries = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const sent = parts.owned.map((list) => ({ list, filter: undefined, epoch: parts.instance }));
    this.#sender = new Sender(sent, new Map<string, Position>(), parts.limits);
    const { service, region, cloudlet, instance } = parts;
    const wants = [...parts.replicas.values()].map((replica) => ({
      kind: replica.kind,
      ...replica.position(),
      scopes: [...parts.filters.get(replica.kind) ?? []],
    }));
    const owns = parts.owned.map((list) => list.kind);
    this.#hello = encodeControl({
      hello: { version: PROTOCOL_VERSION, service, region, cloudlet, instance, wants, owns },
    });
  }

  /** What the parent has said of itself. */
  get parent(): HelloInfo | undefined {
    return this.#parent;
  }

  /** Set once the parent has refused. */
  get refused(): RefusedByParent | undefined {
    return this.#refused;
  }

  /** Whether it takes and gives nothing any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Its sending half. */
  get sender(): Sender {
    return this.#sender;
  }

  /** Whether every wanted kind is in step. */
  get inStep(): boolean {
    if (!this.#parent) return false;
    for (const replica of this.#parts.replicas.values()) if (!replica.inStep) return false;
    return true;
  }

  /** Queues a message for the parent, or says that it cannot be. */
  send(type: string, value: Uint8Array, correlation = "", traceparent = ""): boolean {
    if (this.#ended || !this.#parent) return false;
    const message = encodeEntry({ action: EntryAction.MESSAGE, kind: type, value, correlation, traceparent });
    const queued = this.#sender.lane.push(message);
    if (queued) this.wake();
    return queued;
  }

  /** Something the child owns has changed. */
  touch(kind: string, revision: number): void {
    this.#sender.touch(kind, revision);
    this.wake();
  }

  /**
   * Takes a frame. What it changes is to be applied before the next one is taken, by {@linkcode applyNext}.
   * @throws {RpcError} to end the connection.
   */
  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    const frame = read(bytes);
    this.receivedFrames++;
    this.receivedBytes += bytes.length;
    if (frame.refusal) {
      const { reason, retryAfterMs } = frame.refusal;
      this.#refused = { reason, retryAfterMs };
      this.end();
      return;
    }
    if (!this.#parent) {
      if (!frame.hello) throw new RpcError(Status.INVALID_ARGUMENT, "The parent's first frame must be a hello");
      this.#greeted(helloOf(frame.hello));
      return;
    }
    if (!frame.batch) throw new RpcError(Status.INVALID_ARGUMENT, "After the hello only batches may follow");
    this.#entries = frame.batch.entries;
    this.#applied = 0;
  }

  /**
   * Applies one change or message of the frame that was received. Between two of them others may be served: what is held
   * then is what it would be between two frames.
   * @returns Whether there are more.
   * @throws {RpcError} to end the connection.
   */
  applyNext(): boolean {
    const entry = this.#ended ? undefined : this.#entries[this.#applied];
    if (entry === undefined) return false;
    this.#applied++;
    this.receivedEntries++;
    this.#take(entry);
    if (this.#applied < this.#entries.length) return true;
    this.#entries = [];
    this.#parts.onProgress();
    return false;
  }

  #greeted(hello: HelloInfo): void {
    const refusal = versionRefusal(hello.version);
    if (refusal !== undefined) throw new RpcError(Status.FAILED_PRECONDITION, refusal);
    const { region } = this.#parts;
    if (region !== "" && hello.region !== "" && region !== hello.region) {
      throw new RpcError(Status.FAILED_PRECONDITION, `The parent is of region ${hello.region}, not ${region}`);
    }
    this.#parent = hello;
    this.#parts.onProgress();
    this.wake();
  }

  #take(entry: Entry): void {
    if (entry.action === EntryAction.MESSAGE) return this.#parts.onMessage(entry);
    const replica = this.#parts.replicas.get(entry.kind);
    if (!replica) throw new RpcError(Status.INVALID_ARGUMENT, `Kind ${JSON.stringify(entry.kind)} was not asked for`);
    replica.apply(entry);
  }

  /** The next frame to send; undefined: nothing now. Only the hello leaves before the parent has answered it. */
  pull(): Uint8Array | undefined {
    if (this.#ended) return undefined;
    const hello = this.#hello;
    if (hello) {
      this.#hello = undefined;
      return hello;
    }
    return this.#parent && this.#sender.pull();
  }

  /** Says that {@linkcode pull} may have something. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when there may be something to pull, or the connection has ended. */
  waiting(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** The connection is gone: what is held stays. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#entries = [];
    this.#sender.lane.clear();
    for (const replica of this.#parts.replicas.values()) replica.disconnected();
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

function helloOf(hello: Parameters<typeof helloInfo>[0]): HelloInfo {
  try {
    return helloInfo(hello);
  } catch (error) {
    throw new RpcError(Status.INVALID_ARGUMENT, error instanceof Error ? error.message : "The hello makes no sense");
  }
}
