/** A header block that RFC 7541 forbids. The compression state is lost with it, so the whole connection must end. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
