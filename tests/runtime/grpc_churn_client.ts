// Opens connections full of streams to the churn server, says "open", and waits to be killed.
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";

const CONNECTIONS = 8;
const STREAMS_PER_CONNECTION = 50;
const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
const address = Deno.args[0]!;

function openStream(client: grpc.Client): Promise<void> {
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest("/churn.Churn/Hold", bytes, bytes, new Uint8Array([7]));
    call.on("error", () => {});
    call.once("data", () => resolve());
  });
}

const streams: Promise<void>[] = [];
for (let connection = 0; connection < CONNECTIONS; connection++) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  for (let stream = 0; stream < STREAMS_PER_CONNECTION; stream++) streams.push(openStream(client));
}
await Promise.all(streams);
console.log("open");
