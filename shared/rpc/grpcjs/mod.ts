/** The transport over @grpc/grpc-js. @module */
export { grpcJsClientTransport } from "./client_transport.ts";
export { grpcJsServerTransport } from "./server_transport.ts";
