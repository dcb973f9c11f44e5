// An upgrade of the runtime has to prove itself here first: releases that fail abort the whole process when a peer with
// many open streams goes away (docs/decisions/deno.md).
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";

const ROUNDS = 5;
const bytes = (value: Uint8Array): Buffer => Buffer.from(value);

interface Peer {
  child: Deno.ChildProcess;
  firstLine: string;
}

async function startPeer(script: string, ...args: string[]): Promise<Peer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL(script, import.meta.url).pathname, ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return { child, firstLine: new TextDecoder().decode(value).trim() };
}

async function kill(peer: Peer): Promise<Deno.CommandStatus> {
  try {
    peer.child.kill("SIGKILL");
  } catch { /* already gone: the caller looks at the status */ }
  const status = await peer.child.status;
  await peer.child.stdout.cancel();
  return status;
}

function echo(address: string): Promise<Uint8Array> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  return new Promise<Uint8Array>((resolve, reject) => {
    client.makeUnaryRequest(
      "/churn.Churn/Echo",
      bytes,
      bytes,
      new Uint8Array([1, 2, 3]),
      { deadline: Date.now() + 20_000 },
      (error, reply) => error ? reject(error) : resolve(reply!),
    );
  }).finally(() => client.close());
}

Deno.test({
  name: "runtime: a gRPC server outlives clients that die with hundreds of open streams",
  // grpc-js keeps idle timers and sockets of closed clients for a while; they are not what is tested.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await startPeer("grpc_churn_server.ts");
    const address = `127.0.0.1:${Number(server.firstLine)}`;
    let status: Deno.CommandStatus | undefined;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const client = await startPeer("grpc_churn_client.ts", address);
        assert.equal(client.firstLine, "open");
        await kill(client);
        assert.deepEqual([...await echo(address)], [1, 2, 3], `round ${round}`);
      }
    } finally {
      status = await kill(server);
    }
    assert.equal(status.signal, "SIGKILL", "the server process ended by itself");
  },
});
