/**
 * A parent of many objects in a process of its own, for the tests beside it.
 * Arguments: folder with cert.pem, key.pem and ca.pem; number of objects; text of their values; address to listen on.
 * It prints its port, then answers each line of JSON on standard input with one on standard output.
 */
import "reflect-metadata";
import { uriOf } from "../../shared/rpc/conformance/certificates.ts";
import { createNotifyHub } from "../../shared/notify/mod.ts";
import { authenticate, createServer } from "../../shared/rpc/mod.ts";

/** What the parent can be told. */
export type ParentCommand =
  | { readonly do: "publish"; readonly keys: number; readonly value: string; readonly rounds: number }
  | { readonly do: "send"; readonly count: number; readonly bytes: number; readonly to: string }
  | { readonly do: "streams" };

const [folder, count, value, hostname = "127.0.0.1"] = Deno.args as [string, string, string, string?];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(200, "."));

const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App"] });
for (let i = 0; i < Number(count); i++) hub.publish("App", `app${i}`, bytesOf(value));
hub.markReady();

const server = createServer({
  tls: { cert: read("cert.pem"), key: read("key.pem"), ca: read("ca.pem") },
  interceptors: [authenticate((peer) => uriOf(peer.certificates![0]!))],
});
hub.serve(server, () => ({}));
const { port } = await server.listen({ hostname, port: 0 });
console.log(port);

async function run(command: ParentCommand): Promise<unknown> {
  switch (command.do) {
    case "publish":
      for (let round = 0; round < command.rounds; round++) {
        for (let i = 0; i < command.keys; i++) hub.publish("App", `app${i}`, bytesOf(`${command.value}${round}`));
        await new Promise((resolve) => setTimeout(resolve));
      }
      return true;
    case "send": {
      let queued = 0;
      const message = new Uint8Array(command.bytes);
      for (let i = 0; i < command.count; i++) queued += hub.send("test.message", message, { instance: command.to });
      return queued;
    }
    case "streams":
      return hub.streams();
  }
}

let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop()!;
  for (const line of lines) console.log(JSON.stringify(await run(JSON.parse(line) as ParentCommand)));
}
