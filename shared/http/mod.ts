/**
 * What every REST face of ours needs: bodies of bounded size, JSON answers, HTTP statuses of gRPC codes, CORS. On web
 * standards alone, for use with or without a router; the listener is `serveHttp` of `shared/runtime`.
 *
 * @module
 */
export { BodyError, type BodyOptions, DEFAULT_MAX_BODY_BYTES, readBytes, readJson } from "./body.ts";
export { answerPreflight, corsHeaders, type CorsRules } from "./cors.ts";
export { readJsonObjects } from "./json_objects.ts";
export { jsonResponse, jsonTextResponse } from "./response.ts";
export { httpStatusOf, httpStatusText } from "./status.ts";
