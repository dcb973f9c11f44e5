const JSON_TYPE = { "content-type": "application/json" } as const;
/** Of most answers. */
const PLAIN_JSON = { status: 200, headers: JSON_TYPE } as const;

/** Answers with JSON. */
export function jsonResponse(value: unknown, status = 200, headers?: Readonly<Record<string, string>>): Response {
  return jsonTextResponse(JSON.stringify(value), status, headers);
}

/** Answers with JSON that is printed already. */
export function jsonTextResponse(text: string, status = 200, headers?: Readonly<Record<string, string>>): Response {
  if (status === 200 && headers === undefined) return new Response(text, PLAIN_JSON);
  return new Response(text, { status, headers: { ...JSON_TYPE, ...headers } });
}
