/** What keeps `up` from going on, in one line that says what to do. */
export class UpError extends Error {
  override readonly name = "UpError";
}
