import {
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  MAX_MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  MIN_MAX_FRAME_BYTES,
  SettingId,
} from "./constants.ts";
import { ConnectionError } from "./errors.ts";

/** One side's settings (RFC 9113, section 6.5.2). */
export interface Settings {
  headerTableBytes: number;
  enablePush: boolean;
  maxConcurrentStreams: number;
  initialWindowBytes: number;
  maxFrameBytes: number;
  maxHeaderListBytes: number;
}

/** The settings in force before any are exchanged. */
export function initialSettings(): Settings {
  return {
    headerTableBytes: 4_096,
    enablePush: true,
    maxConcurrentStreams: Infinity,
    initialWindowBytes: DEFAULT_WINDOW_BYTES,
    maxFrameBytes: MIN_MAX_FRAME_BYTES,
    maxHeaderListBytes: Infinity,
  };
}

/**
 * Reads the payload of a SETTINGS frame into `settings`; unknown settings are ignored.
 *
 * @throws {ConnectionError} when a value is not allowed.
 */
export function readSettings(settings: Settings, source: Uint8Array, start: number, end: number): void {
  const view = new DataView(source.buffer, source.byteOffset + start, end - start);
  for (let at = 0; at < view.byteLength; at += 6) {
    const value = view.getUint32(at + 2);
    switch (view.getUint16(at)) {
      case SettingId.HEADER_TABLE_SIZE:
        settings.headerTableBytes = value;
        break;
      case SettingId.ENABLE_PUSH:
        if (value > 1) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_ENABLE_PUSH is ${value}`);
        settings.enablePush = value === 1;
        break;
      case SettingId.MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value;
        break;
      case SettingId.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) {
          throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`);
        }
        settings.initialWindowBytes = value;
        break;
      case SettingId.MAX_FRAME_SIZE:
        if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) {
          throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS_MAX_FRAME_SIZE is ${value}`);
        }
        settings.maxFrameBytes = value;
        break;
      case SettingId.MAX_HEADER_LIST_SIZE:
        settings.maxHeaderListBytes = value;
        break;
    }
  }
}

/** The payload of a SETTINGS frame with the given identifiers and values. */
export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new Uint8Array(settings.length * 6);
  const view = new DataView(payload.buffer);
  settings.forEach(([id, value], at) => {
    view.setUint16(at * 6, id);
    view.setUint32(at * 6 + 2, value);
  });
  return payload;
}
