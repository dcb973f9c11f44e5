import type { Role } from "./connection_types.ts";
import { FrameType, SettingId } from "./constants.ts";
import type { InboundWindow } from "./inbound_window.ts";
import type { Http2Limits } from "./limits.ts";
import type { Output } from "./output.ts";
import { settingsPayload } from "./settings.ts";
import type { Watchdog } from "./watchdog.ts";

/** What our settings need of their connection. */
export interface OwnSettingsHost {
  readonly role: Role;
  readonly limits: Http2Limits;
  readonly now: number;
  readonly outbound: { readonly output: Output };
  readonly window: InboundWindow;
  wake(): void;
}

/** The settings that may change while a connection lives. */
export interface ChangedSettings {
  /** Octets that the peer may send on a stream before its reader has taken any. */
  readonly streamWindowBytes?: number;
  /** Streams that the peer may have open. */
  readonly maxConcurrentStreams?: number;
}

/** Our settings: what we tell the peer to keep to. */
export class OwnSettings {
  readonly #host: OwnSettingsHost;
  readonly #watchdog: Watchdog;
  /** Streams that the peer may have open. */
  maxConcurrentStreams: number;

  constructor(host: OwnSettingsHost, watchdog: Watchdog) {
    this.#host = host;
    this.#watchdog = watchdog;
    this.maxConcurrentStreams = host.limits.maxConcurrentStreams;
  }

  /** Sends the first settings and opens the connection's window. */
  greet(): void {
    const { limits, role, window } = this.#host;
    this.#send([
      [SettingId.HEADER_TABLE_SIZE, limits.headerTableBytes],
      [SettingId.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
      [SettingId.MAX_FRAME_SIZE, limits.maxFrameBytes],
      [SettingId.MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
      role === "server" ? [SettingId.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams] : [SettingId.ENABLE_PUSH, 0],
    ], limits.streamWindowBytes);
    window.credit();
  }

  /** Sends what has changed. */
  change({ streamWindowBytes, maxConcurrentStreams }: ChangedSettings): void {
    const settings: [id: number, value: number][] = [];
    if (maxConcurrentStreams !== undefined) {
      this.maxConcurrentStreams = maxConcurrentStreams;
      settings.push([SettingId.MAX_CONCURRENT_STREAMS, maxConcurrentStreams]);
    }
    if (streamWindowBytes !== undefined) settings.push([SettingId.INITIAL_WINDOW_SIZE, streamWindowBytes]);
    this.#send(settings, streamWindowBytes);
  }

  /** The peer has acknowledged the oldest settings sent; false when there were none. */
  acknowledged(): boolean {
    const waiting = this.#host.window.acknowledge();
    if (waiting < 0) return false;
    this.#watchdog.settingsAcknowledged(waiting > 0);
    return true;
  }

  #send(settings: readonly [id: number, value: number][], initialWindow: number | undefined): void {
    const { outbound, window, now } = this.#host;
    const payload = settingsPayload(settings);
    const at = outbound.output.frame(FrameType.SETTINGS, 0, 0, payload.length);
    outbound.output.buffer.set(payload, at);
    window.announce(initialWindow);
    this.#watchdog.settingsSent(now);
    this.#host.wake();
  }
}
