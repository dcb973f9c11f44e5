import { conformance } from "../conformance.ts";
import { grpcJsClientTransport, grpcJsServerTransport } from "../grpcjs/mod.ts";
import { h2ClientTransport, h2ServerTransport } from "./mod.ts";

conformance("http2", { server: h2ServerTransport, client: h2ClientTransport });
conformance("http2 server, grpc-js client", {
  server: h2ServerTransport,
  client: grpcJsClientTransport,
  clientNeverCompresses: true,
  losesMessagesBeforeError: true,
  unboundedSending: true,
});
conformance("grpc-js server, http2 client", {
  server: grpcJsServerTransport,
  serverNeverCompresses: true,
  client: h2ClientTransport,
  unboundedSending: true,
});
