import type { BufferPool } from "./buffer_pool.ts";
import type { Http2Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { StreamCore } from "./stream_core.ts";

/** Which side of the connection we are. */
export type Role = "server" | "client";

/** What a connection tells those above it. */
export interface ConnectionEvents<S extends StreamCore> {
  /** Makes the object of a stream that the peer opens (server). */
  createStream(): S;
  /** The peer has opened a stream; its header list stands in it, and `remoteClosed` where nothing follows. */
  onStream(stream: S): void;
  /** Frames wait: fetch them with `takeOutput`, soon. */
  onOutput(): void;
  /** The preface and the first SETTINGS of the peer have come. */
  onEstablished?(): void;
  /** No new streams from now on: we or the peer are draining. */
  onDraining?(): void;
  /** The connection is over; what `takeOutput` still gives may be written before the transport closes. */
  onClosed(error: Error | null): void;
}

/** What a connection is made from. */
export interface ConnectionOptions<S extends StreamCore> {
  readonly role: Role;
  readonly limits: Http2Limits;
  readonly events: ConnectionEvents<S>;
  /** Milliseconds of the clock now; each later moment is passed in. */
  readonly now: number;
  /** Shared by the connections of a server. */
  readonly budget?: MemoryBudget;
  /** Shared by the connections of a server. */
  readonly pool?: BufferPool;
  /** Milliseconds added to `maxAgeMs`, so that connections opened together do not all end together. */
  readonly ageJitterMs?: number;
}
