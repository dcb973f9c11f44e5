/**
 * The protobuf wire format: what generated codecs are written with.
 * @module
 */
export { DecodeError } from "./errors.ts";
export { Reader } from "./reader.ts";
export { Writer } from "./writer.ts";
