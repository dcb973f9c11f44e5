/** The transport over `shared/http2`. @module */
export { h2ClientTransport } from "./client_transport.ts";
export { h2ServerTransport, HandshakeRefusedError } from "./server_transport.ts";
