/** What pages of other origins may do. */
export interface CorsRules {
  readonly methods: string;
  readonly headers: string;
}

/** Headers that let the asking origin read the answer; undefined when the request names no origin. */
export function corsHeaders(request: Request): Record<string, string> | undefined {
  const origin = request.headers.get("origin");
  return origin === null ? undefined : { "access-control-allow-origin": origin, "vary": "origin" };
}

/** Answers a browser's question whether it may send a request; undefined when the request is none. */
export function answerPreflight(request: Request, rules: CorsRules): Response | undefined {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return undefined;
  return new Response(null, {
    status: 200,
    headers: {
      ...corsHeaders(request),
      "access-control-allow-headers": rules.headers,
      "access-control-allow-methods": rules.methods,
    },
  });
}
