/** Bytes that are not a valid encoding of the expected message. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}
