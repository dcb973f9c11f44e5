import { conformance } from "../conformance.ts";
import { grpcJsClientTransport, grpcJsServerTransport } from "./mod.ts";

conformance("grpc-js", {
  server: grpcJsServerTransport,
  client: grpcJsClientTransport,
  losesMessagesBeforeError: true,
  unboundedSending: true,
});
