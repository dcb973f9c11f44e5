import { createHash } from "node:crypto";

const MAX_NAME_CHARACTERS = 63;
const HASH_CHARACTERS = 10;

/**
 * A name for the infrastructure from words and a key: lower case letters, digits and "-", at most 63 characters, and
 * distinct for distinct keys, as it ends in a hash of the key.
 */
export function infrastructureName(words: readonly string[], key: string): string {
  const hash = createHash("sha256").update(key).digest("hex").slice(0, HASH_CHARACTERS);
  const text = words.map((word) => word.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, ""))
    .filter((word) => word !== "").join("-");
  const head = text.slice(0, MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1).replace(/-+$/, "");
  return head === ""
    ? `x-${hash}`
    : `${/^[a-z]/.test(head) ? head : `x${head}`.slice(0, MAX_NAME_CHARACTERS - 11)}-${hash}`;
}
