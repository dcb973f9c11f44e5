import { conformance } from "../conformance.ts";
import { grpcJsClientTransport, grpcJsServerTransport } from "./mod.ts";

conformance("grpc-js", {
  server: grpcJsServerTransport,
  client: grpcJsClientTransport,
  serverNeverCompresses: true,
  clientNeverCompresses: true,
  losesMessagesBeforeError: true,
  unboundedSending: true,
});
