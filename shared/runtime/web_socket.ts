/** How a WebSocket is accepted. */
export interface WebSocketOptions {
  /** A silent client is pinged, and given up when it does not answer, after so many seconds. @default 20 */
  readonly idleSeconds?: number;
}

/**
 * Turns a request of the HTTP listener into a WebSocket. The response must be returned by the listener's handler.
 *
 * @throws {TypeError} When the request does not ask for one.
 */
export function acceptWebSocket(
  request: Request,
  options: WebSocketOptions = {},
): { readonly response: Response; readonly socket: WebSocket } {
  return Deno.upgradeWebSocket(request, { idleTimeout: options.idleSeconds ?? 20 });
}
