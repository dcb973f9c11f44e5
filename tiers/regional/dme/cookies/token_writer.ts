import { base64url, HEADER } from "./jwt.ts";
import { KEY_ROOM_BYTES, type MacKey } from "./mac.ts";

/**
 * Members of the `key` claim that are the same in many cookies, encoded once. Base64 takes three octets at a time, so that
 * up to two of them wait for what follows.
 */
export interface PreparedMembers {
  readonly text: string;
  readonly encoded: Uint8Array;
  readonly rest: Uint8Array;
}

const GROUP_BYTES = 3;
const encoder = new TextEncoder();

/** Prepares members, printed as JSON without the braces around them. Others may follow; then there is a comma at the end. */
export function prepareMembers(text: string): PreparedMembers {
  const bytes = encoder.encode(text);
  const whole = bytes.length - bytes.length % GROUP_BYTES;
  const encoded = new Uint8Array(whole / GROUP_BYTES * 4);
  writeBase64(bytes, whole, encoded, 0);
  return { text, encoded, rest: bytes.slice(whole) };
}

/** The token up to its `key` claim's members; undefined where what follows does not begin with a group of its own. */
export function tokenHead(exp: number, iat: number): Uint8Array | undefined {
  const claims = `{"exp":${exp},"iat":${iat},"key":{`;
  return claims.length % GROUP_BYTES === 0 ? encoder.encode(`${HEADER}.${base64url(claims)}`) : undefined;
}

/** Longest rest of claims that is written here. */
export const MAX_TAIL_CHARACTERS = 1024;
const tailRoom = new Uint8Array(GROUP_BYTES + MAX_TAIL_CHARACTERS);
/** Longest encoded members that are written here. */
export const MAX_ENCODED_MEMBERS = 8_192;
/** For a whole token behind room for its key: what is around members and tail takes some two hundred octets. */
const tokenRoom = new Uint8Array(KEY_ROOM_BYTES + MAX_ENCODED_MEMBERS + 2 * MAX_TAIL_CHARACTERS);
const DOT = 0x2e;

/**
 * Signs a token of prepared parts: octet by octet, since strings of it would cost several times what signing does.
 *
 * @param members not longer than {@linkcode MAX_ENCODED_MEMBERS} encoded
 * @param tail what follows the members in the claims, ASCII, at most {@linkcode MAX_TAIL_CHARACTERS}
 * @returns The token's octets. They are only lent: the next token is written over them.
 */
export function writeToken(head: Uint8Array, members: PreparedMembers, tail: string, key: MacKey): Uint8Array {
  const { encoded, rest } = members;
  const encodedAt = KEY_ROOM_BYTES + head.length;
  tokenRoom.set(head, KEY_ROOM_BYTES);
  tokenRoom.set(encoded, encodedAt);
  let left = 0;
  while (left < rest.length) tailRoom[left] = rest[left++]!;
  for (let at = 0; at < tail.length; at++) tailRoom[left++] = tail.charCodeAt(at);
  let end = writeBase64(tailRoom, left, tokenRoom, encodedAt + encoded.length);
  const code = key.codeBehind(tokenRoom.subarray(0, end));
  tokenRoom[end++] = DOT;
  end = writeBase64(code, code.length, tokenRoom, end);
  return tokenRoom.subarray(KEY_ROOM_BYTES, end);
}

const ALPHABET = encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

/** Writes the first octets of the source as base64url, unpadded. @returns The end of it */
function writeBase64(source: Uint8Array, length: number, target: Uint8Array, at: number): number {
  let from = 0;
  for (; from + 2 < length; from += GROUP_BYTES) {
    const bits = (source[from]! << 16) | (source[from + 1]! << 8) | source[from + 2]!;
    target[at] = ALPHABET[bits >> 18]!;
    target[at + 1] = ALPHABET[(bits >> 12) & 63]!;
    target[at + 2] = ALPHABET[(bits >> 6) & 63]!;
    target[at + 3] = ALPHABET[bits & 63]!;
    at += 4;
  }
  if (from === length) return at;
  const bits = (source[from]! << 16) | (from + 1 < length ? source[from + 1]! << 8 : 0);
  target[at++] = ALPHABET[bits >> 18]!;
  target[at++] = ALPHABET[(bits >> 12) & 63]!;
  if (from + 1 < length) target[at++] = ALPHABET[(bits >> 6) & 63]!;
  return at;
}
