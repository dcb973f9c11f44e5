// A bare gRPC server on the runtime's own HTTP/2, as the churn test's victim. Prints its port, then serves until killed.
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";

const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
const server = new grpc.Server();
server.addService({
  hold: {
    path: "/churn.Churn/Hold",
    requestStream: false,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
  echo: {
    path: "/churn.Churn/Echo",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
}, {
  hold(call: grpc.ServerWritableStream<Uint8Array, Uint8Array>) {
    call.write(new Uint8Array([1]));
  },
  echo(call: grpc.ServerUnaryCall<Uint8Array, Uint8Array>, done: grpc.sendUnaryData<Uint8Array>) {
    done(null, call.request);
  },
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
