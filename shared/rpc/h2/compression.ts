import { gzipSync } from "node:zlib";
import { PREFIX_BYTES } from "./message_reader.ts";

/** Smaller messages leave as they are, bytes: what gzip saves on them it costs in time, and its own frame is 18 bytes. */
const MIN_COMPRESSED_BYTES = 512;
/** Fastest level: compression holds up everything else in the process. */
const LEVEL = 1;

/** The message compressed; undefined when that is not worth while. */
export function compress(message: Uint8Array): Uint8Array | undefined {
  if (message.length < MIN_COMPRESSED_BYTES) return undefined;
  const compressed = gzipSync(message, { level: LEVEL });
  return compressed.length < message.length ? compressed : undefined;
}

/** The prefix of a compressed message. */
export function compressedPrefixOf(length: number): Uint8Array {
  const prefix = new Uint8Array(PREFIX_BYTES);
  prefix[0] = 1;
  new DataView(prefix.buffer).setUint32(1, length);
  return prefix;
}

/** Whether a `grpc-accept-encoding` names gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  return header !== undefined && header.split(",").some((name) => name.trim() === "gzip");
}
