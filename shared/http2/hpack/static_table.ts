/**
 * A header field: its name in lower case and its value. Bytes above 0x7f stand as the code points U+0080 to U+00FF, so that
 * any octet survives the round trip.
 */
export type HeaderField = readonly [name: string, value: string];

/** Header fields in the order of the wire; a name may repeat. */
export type HeaderList = readonly HeaderField[];

/** The static table of RFC 7541, appendix A; entry 1 of the RFC is element 0 here. */
export const STATIC_TABLE: HeaderList = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
].map(([name, value]) => Object.freeze([name!, value!] as const));

/** What a field costs in a table and in a header list besides its octets (RFC 7541, section 4.1). */
export const FIELD_OVERHEAD_BYTES = 32;

/** Size of a field in a table or list, in octets (RFC 7541, section 4.1). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}
