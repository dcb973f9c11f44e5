import { type ClientOptions, connect, type Http2Client } from "../client.ts";
import { type Http2Server, serve, type ServeOptions } from "../server.ts";
import { MemoryListener, type MemoryTransport } from "../transport/memory.ts";
import { FakeClock } from "./fake_clock.ts";
import { RawPeer } from "./raw_peer.ts";

/** A server in memory with a clock that stands. */
export interface TestService {
  readonly server: Http2Server;
  readonly clock: FakeClock;
  /** What the server reported. */
  readonly errors: unknown[];
  /** A client of ours. */
  client(options?: ClientOptions): Http2Client;
  /** A peer written by hand. */
  raw(): { readonly peer: RawPeer; readonly transport: MemoryTransport };
}

/** Starts a server in memory. */
export function startService(options: ServeOptions): TestService {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const listener = new MemoryListener();
  const server = serve(listener, { clock, onError: (error) => errors.push(error), ...options });
  return {
    server,
    clock,
    errors,
    client: (clientOptions = {}) => connect(listener.connect(), { clock, ...clientOptions }),
    raw() {
      const transport = listener.connect();
      return { peer: new RawPeer(transport), transport };
    },
  };
}
