/** The transport over `shared/http2`. @module */
export { h2ClientTransport } from "./client_transport.ts";
export { h2ServerTransport } from "./server_transport.ts";
