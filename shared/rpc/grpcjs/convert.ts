import { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { Metadata } from "../metadata.ts";

/** Trailer that carries the details of a status. */
const DETAILS_KEY = "grpc-status-details-bin";

/** Our metadata in the library's form. */
export function toGrpc(metadata: Metadata, details?: Uint8Array, options?: { waitForReady?: boolean }): GrpcMetadata {
  const result = new GrpcMetadata(options);
  for (const [key, value] of metadata) result.add(key, typeof value === "string" ? value : Buffer.from(value));
  if (details) result.set(DETAILS_KEY, Buffer.from(details));
  return result;
}

/** The library's metadata in ours; values that we could not send are dropped. */
export function fromGrpc(metadata: GrpcMetadata): Metadata {
  const result = new Metadata();
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) {
      try {
        result.append(key, typeof value === "string" ? value : new Uint8Array(value));
      } catch {
        // A peer's header that is no valid metadata is none of ours.
      }
    }
  }
  return result;
}

/** Splits trailers into the details of the status and the rest. */
export function fromGrpcTrailers(trailers: GrpcMetadata): { trailers: Metadata; details?: Uint8Array } {
  const result = fromGrpc(trailers);
  const details = result.get(DETAILS_KEY);
  result.delete(DETAILS_KEY);
  return { trailers: result, details };
}

/** Bytes as the library wants them, without a copy. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The library's serializer for messages that are bytes already. */
export function passBytes(bytes: Uint8Array): Buffer {
  return toBuffer(bytes);
}
