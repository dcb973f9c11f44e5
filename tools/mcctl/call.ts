import { isJsonObject } from "../../shared/schema/mod.ts";
import { readDocuments } from "./documents.ts";
import { CallError } from "./failure.ts";
import type { Io, Trust } from "./io.ts";
import type { JsonObject } from "./parse_arguments.ts";

/** One call of the master controller. */
export interface Call {
  readonly url: string;
  readonly body: JsonObject;
  readonly token?: string;
  readonly trust: Trust;
}

/** Makes a call and yields what comes back, item by item. Throws CallError. */
export async function* callItems(io: Io, call: Call): AsyncGenerator<unknown> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (call.token !== undefined) headers["authorization"] = `Bearer ${call.token}`;
  let reply;
  try {
    reply = await io.post(call.url, JSON.stringify(call.body), headers, call.trust);
  } catch (error) {
    throw new CallError(0, "", `could not reach ${new URL(call.url).origin}: ${reason(error)}`);
  }
  if (reply.status !== 200) throw await refusal(reply.status, reply.statusText, reply.body);
  try {
    for await (const document of readDocuments(reply.body)) yield* itemsOf(document);
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw new CallError(0, "", `the reply broke off: ${reason(error)}`);
  }
}

/** Lists come whole, streams as `{"data":…}` lines, and a failure after the first line as `{"result":…}`. */
function* itemsOf(document: unknown): Generator<unknown> {
  if (Array.isArray(document)) return yield* document;
  if (isJsonObject(document) && Object.keys(document).length === 1) {
    if ("data" in document) return yield document["data"];
    const result = document["result"];
    if (isJsonObject(result) && typeof result["message"] === "string") {
      const code = typeof result["code"] === "number" ? result["code"] : 400;
      throw new CallError(code, statusText(code), result["message"]);
    }
  }
  if (document !== null) yield document;
}

async function refusal(status: number, text: string, body: AsyncIterable<Uint8Array>): Promise<CallError> {
  let message = "";
  try {
    for await (const document of readDocuments(body)) {
      if (isJsonObject(document) && typeof document["message"] === "string") message = document["message"];
    }
  } catch {
    // A body that is no JSON says nothing that people could use.
  }
  return new CallError(status, text === "" ? statusText(status) : text, message === "" ? "no further reason" : message);
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  511: "Network Authentication Required",
};

function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? "Failed";
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The runtime repeats the URL, which stands in the message already.
  return error.message.replace(/^error sending request for url \(.*?\): /, "");
}

const SECRET_KEYS = /^(?:pass(?:word|hash)|currentpassword|totp|apikey|token)$/i;

/** The call as a curl command that can be pasted: the token comes from a variable, other secrets are starred out. */
export function curlCommand(call: Call, caFile: string | undefined): string {
  const body = JSON.stringify(call.body, (key, value) => SECRET_KEYS.test(key) && value !== "" ? "***" : value);
  const parts = ["curl", "-X POST", `-H "Content-Type: application/json"`];
  if (call.token !== undefined) parts.push(`-H "Authorization: Bearer \${TOKEN}"`);
  if (call.trust.skipVerify) parts.push("--insecure");
  else if (caFile !== undefined) parts.push(`--cacert ${shellQuoted(caFile)}`);
  return [...parts, `-d ${shellQuoted(body)}`, shellQuoted(call.url)].join(" ");
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
