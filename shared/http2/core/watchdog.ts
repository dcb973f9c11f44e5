import { ErrorCode } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import type { StreamCore } from "./stream_core.ts";

/** What the watchdog sees of its connection, and does to it. */
export interface Watched {
  readonly limits: Http2Limits;
  readonly established: boolean;
  readonly draining: boolean;
  readonly occupied: number;
  readonly headerBlockStartedAt: number;
  readonly streams: ReadonlyMap<number, StreamCore>;
  readonly outbound: { readonly queuedStreams: number };
  shutdown(): void;
  finalGoAway(): void;
  sendPing(done: (now: number) => void): void;
  fail(error: ConnectionError): void;
  readonly window: { readonly heldBytes: number };
  expire(stream: StreamCore, message: string): void;
}

/** How long the first GOAWAY waits for its ping before the second follows, in milliseconds. */
const GOAWAY_PAUSE_MS = 1_000;

/** Time outs, keepalive, idle time and age of one connection. It has no timer: it is told the time. */
export class Watchdog {
  readonly #watched: Watched;
  readonly #openedAt: number;
  readonly #ageJitterMs: number;
  #receivedAt: number;
  #idleSince: number;
  #settingsSentAt = -1;
  #pingSentAt = -1;
  #writingSince = -1;
  #drainingSince = -1;

  constructor(watched: Watched, now: number, ageJitterMs: number) {
    this.#watched = watched;
    this.#openedAt = this.#receivedAt = this.#idleSince = now;
    this.#ageJitterMs = ageJitterMs;
  }

  /** Octets came in. */
  received(now: number): void {
    this.#receivedAt = now;
  }

  /** The last stream is gone. */
  idle(now: number): void {
    this.#idleSince = now;
  }

  /** SETTINGS went out. */
  settingsSent(now: number): void {
    if (this.#settingsSentAt < 0) this.#settingsSentAt = now;
  }

  /** The peer has acknowledged SETTINGS; `more` when others still wait for it. */
  settingsAcknowledged(more: boolean): void {
    this.#settingsSentAt = more ? this.#receivedAt : -1;
  }

  /** The transport got something to write. */
  writing(now: number): void {
    this.#writingSince = now;
  }

  /** The transport has written it. */
  written(): void {
    this.#writingSince = -1;
  }

  /** We are shutting down. */
  drainingSince(now: number): void {
    this.#drainingSince = now;
  }

  /** Looks at all clocks. */
  tick(now: number): void {
    const { limits } = this.#watched;
    const problem = this.#overdue(now, limits);
    if (problem !== null) return this.#watched.fail(problem);
    this.#keepAlive(now, limits);
    this.#checkStreams(now, limits);
    this.#checkAge(now, limits);
  }

  #overdue(now: number, limits: Http2Limits): ConnectionError | null {
    const watched = this.#watched;
    if (!watched.established && isOver(now, this.#openedAt, limits.handshakeTimeoutMs)) {
      return new ConnectionError(ErrorCode.PROTOCOL_ERROR, "Handshake took too long");
    }
    if (isOver(now, this.#settingsSentAt, limits.settingsTimeoutMs)) {
      return new ConnectionError(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS were not acknowledged");
    }
    if (isOver(now, watched.headerBlockStartedAt, limits.headerBlockTimeoutMs)) {
      return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Header block took too long");
    }
    if (isOver(now, this.#writingSince, limits.writeTimeoutMs)) {
      return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Transport took nothing for too long");
    }
    if (isOver(now, this.#drainingSince, limits.drainTimeoutMs)) {
      return new ConnectionError(ErrorCode.NO_ERROR, "Draining took too long");
    }
    // Whatever comes behind the ping shows that the peer lives.
    if (this.#pingSentAt >= 0 && isOver(now, Math.max(this.#pingSentAt, this.#receivedAt), limits.keepaliveTimeoutMs)) {
      return new ConnectionError(ErrorCode.NO_ERROR, "Peer did not answer a ping");
    }
    return null;
  }

  #keepAlive(now: number, limits: Http2Limits): void {
    if (!this.#watched.established || this.#pingSentAt >= 0) return;
    if (!isOver(now, this.#receivedAt, limits.keepaliveIntervalMs)) return;
    this.#pingSentAt = now;
    this.#watched.sendPing(() => this.#pingSentAt = -1);
  }

  #checkStreams(now: number, limits: Http2Limits): void {
    const watched = this.#watched;
    if (watched.outbound.queuedStreams === 0 && watched.window.heldBytes === 0) return;
    for (const stream of [...watched.streams.values()]) {
      if (stream.queue !== null && isOver(now, stream.progressAt, limits.windowTimeoutMs)) {
        watched.expire(stream, "Peer did not open the window for too long");
      } else if (stream.gathering && !stream.remoteClosed && isOver(now, stream.receivedAt, limits.bodyTimeoutMs)) {
        watched.expire(stream, "Peer did not send the rest of its body for too long");
      }
    }
  }

  #checkAge(now: number, limits: Http2Limits): void {
    const watched = this.#watched;
    if (watched.draining) {
      if (isOver(now, this.#drainingSince, GOAWAY_PAUSE_MS)) watched.finalGoAway();
      return;
    }
    const idle = watched.occupied === 0 && isOver(now, this.#idleSince, limits.idleTimeoutMs);
    const old = limits.maxAgeMs > 0 && now - this.#openedAt >= limits.maxAgeMs + this.#ageJitterMs;
    if (idle || old) watched.shutdown();
  }
}

function isOver(now: number, since: number, limitMs: number): boolean {
  return limitMs > 0 && since >= 0 && now - since >= limitMs;
}
