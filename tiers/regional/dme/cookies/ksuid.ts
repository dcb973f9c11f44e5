const EPOCH_SECONDS = 1_400_000_000;
const TEXT_CHARACTERS = 27;
const RANDOM_BYTES = 16;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * A KSUID: 4 bytes of seconds since 1 400 000 000 and 16 random bytes, in base 62 with 27 characters, so that ids sort
 * by the time they were made.
 *
 * @param randomBytes gives as many random bytes as asked for
 */
export function ksuid(nowMs: number, randomBytes: (count: number) => Uint8Array): string {
  const seconds = Math.floor(nowMs / 1000) - EPOCH_SECONDS;
  let value = BigInt(seconds >>> 0);
  for (const byte of randomBytes(RANDOM_BYTES)) value = (value << 8n) | BigInt(byte);
  let text = "";
  for (let at = 0; at < TEXT_CHARACTERS; at++) {
    text = DIGITS[Number(value % 62n)]! + text;
    value /= 62n;
  }
  return text;
}
