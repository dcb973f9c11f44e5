/** What a route answers. */
export type Reply = JsonReply | StreamReply | EmptyReply;

/** One JSON document. */
export interface JsonReply {
  readonly kind: "json";
  readonly status: number;
  readonly body: unknown;
  readonly cookie?: string;
}

/** Documents as they come, each in `{"data":…}`. */
export interface StreamReply {
  readonly kind: "stream";
  readonly items: AsyncIterable<unknown>;
  /** Members of a last document, asked for when the items have ended; undefined: there is none. */
  tail?(): Record<string, unknown> | undefined;
}

/** Status 200 and no body. */
export interface EmptyReply {
  readonly kind: "empty";
}

/** Answers with one JSON document. */
export function json(body: unknown, cookie?: string): JsonReply {
  return { kind: "json", status: 200, body, cookie };
}

/** Answers with `{"message":…}`, as calls that change something do. */
export function message(text: string): JsonReply {
  return json({ message: text });
}
