/**
 * A parent of many objects in a process of its own, for the tests beside it.
 * Arguments: folder with cert.pem, key.pem and ca.pem; number of objects; text of their values.
 */
import "reflect-metadata";
import { uriOf } from "../../shared/rpc/conformance/certificates.ts";
import { createNotifyHub } from "../../shared/notify/mod.ts";
import { authenticate, createServer } from "../../shared/rpc/mod.ts";

const [folder, count, value] = Deno.args as [string, string, string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);

const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App"] });
const bytes = new TextEncoder().encode(value.padEnd(200, "."));
for (let i = 0; i < Number(count); i++) hub.publish("App", `app${i}`, bytes);
hub.markReady();

const server = createServer({
  tls: { cert: read("cert.pem"), key: read("key.pem"), ca: read("ca.pem") },
  interceptors: [authenticate((peer) => uriOf(peer.certificates![0]!))],
});
hub.serve(server, () => ({}));
const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
console.log(port);
