import { RpcError, Status, statusName } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import type { Desk } from "../api/mod.ts";
import { EdgeClients } from "./clients.ts";
import type { EdgeConnection } from "./connection.ts";
import { createPushes, type Pushes } from "./pushes.ts";
import type { EdgeStats } from "./stats.ts";

/** Bounds of event streams. */
export interface EdgeLimits {
  /** Streams open at once in this process. */
  readonly streams: number;
  /** Events that wait for a client to read them. */
  readonly queuedEvents: number;
  /** Octets of them that wait in a WebSocket. */
  readonly queuedBytes: number;
  /** Time for the first event to come. */
  readonly initMs: number;
  /** Longest name of a custom event. */
  readonly customNameCharacters: number;
}

/** Bounds unless told otherwise. */
export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  streams: 100_000,
  queuedEvents: 64,
  queuedBytes: 64 * 1024,
  initMs: 10_000,
  customNameCharacters: 256,
};

/** What happens on event streams, for metrics. */
export interface EdgeObserver {
  /** @param code of its end */
  ended(code: string): void;
  /** An event was refused with EVENT_ERROR. */
  refused(): void;
}

/** What event streams work with. */
export interface EdgeDesk {
  readonly desk: Desk;
  readonly clients: EdgeClients;
  readonly pushes: Pushes;
  readonly stats: EdgeStats;
  readonly clock: Clock;
  readonly limits: EdgeLimits;
  /** Side of a location tile, whole kilometres. */
  readonly tileSideKm: () => number;
  /** Streams open now. */
  readonly open: number;
  opened(connection: EdgeConnection): void;
  closed(connection: EdgeConnection, error: RpcError | undefined): void;
  refused(): void;
  /**
   * Counts what is left of a stream that has ended while its carrier cannot be got rid of.
   *
   * @returns what ends that
   */
  linger(): () => void;
  /** @throws {RpcError} When no further stream can be had: too many are open, or the process is going. */
  requireRoom(): void;
  /** Ends all streams, so that the clients go to another process, and takes no new ones. */
  drain(): void;
}

/** What an {@link EdgeDesk} is made of. */
export interface EdgeDeskOptions {
  readonly desk: Desk;
  readonly stats: EdgeStats;
  readonly clock: Clock;
  readonly tileSideKm: () => number;
  readonly limits?: Partial<EdgeLimits>;
  readonly observer?: EdgeObserver;
  readonly onError: (error: unknown) => void;
}

/** Makes what event streams work with, and has the region's changes told to their clients from now on. */
export function createEdgeDesk(options: EdgeDeskOptions): EdgeDesk {
  const { desk, stats, clock, tileSideKm, observer, onError } = options;
  const limits = { ...DEFAULT_EDGE_LIMITS, ...options.limits };
  const clients = new EdgeClients();
  const pushes = createPushes({ desk, clients, pause: () => clock.sleep(0), onError });
  desk.tables.watch(pushes.watcher);
  const connections = new Set<EdgeConnection>();
  let going = false;
  let lingering = 0;
  return {
    desk,
    clients,
    pushes,
    stats,
    clock,
    limits,
    tileSideKm,
    get open() {
      return connections.size;
    },
    opened: (connection) => void connections.add(connection),
    closed(connection, error) {
      connections.delete(connection);
      observer?.ended(statusName(error?.code ?? Status.OK));
    },
    refused: () => observer?.refused(),
    linger() {
      let over = false;
      lingering++;
      return () => {
        if (!over) lingering--;
        over = true;
      };
    },
    requireRoom() {
      if (going) throw goingAway();
      if (connections.size + lingering >= limits.streams) {
        throw new RpcError(Status.RESOURCE_EXHAUSTED, `${limits.streams} event streams are open already`);
      }
    },
    drain() {
      going = true;
      for (const connection of [...connections]) connection.end(goingAway());
    },
  };
}

function goingAway(): RpcError {
  return new RpcError(Status.UNAVAILABLE, "The server is shutting down; open the stream again elsewhere");
}
