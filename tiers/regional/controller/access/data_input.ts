import { RpcError, Status } from "../../../../shared/rpc/mod.ts";

/** Longest text that comes with a question, in bytes: a public key is the longest that means anything. */
const MAX_DATA_BYTES = 16 * 1024;

/** What came along, as text. Throws INVALID_ARGUMENT. */
export function readText(data: Uint8Array): string {
  if (data.length > MAX_DATA_BYTES) throw invalid(`must be at most ${MAX_DATA_BYTES} bytes, is ${data.length}`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    // Some callers send the JSON of a text, some the text.
    return text.startsWith('"') ? String(JSON.parse(text)) : text;
  } catch {
    throw invalid("must be text in UTF-8");
  }
}

/** What came along, as the text fields of a JSON object, without regard to their case. Throws INVALID_ARGUMENT. */
export function readFields<N extends string>(data: Uint8Array, names: readonly N[]): Record<N, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    throw invalid("must be a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("must be a JSON object");
  const given = new Map(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]));
  const fields = names.map((name) => {
    const field = given.get(name.toLowerCase()) ?? "";
    if (typeof field !== "string" && typeof field !== "number") throw invalid(`field ${name} must be a text`);
    return [name, String(field)] as const;
  });
  return Object.fromEntries(fields) as Record<N, string>;
}

/** A refusal of what came along. */
export function invalid(rule: string): RpcError {
  return new RpcError(Status.INVALID_ARGUMENT, `data: ${rule}`);
}
