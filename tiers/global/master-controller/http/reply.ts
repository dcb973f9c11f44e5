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
