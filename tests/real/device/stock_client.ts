// A client of stock parts alone: grpc-js, and the proto files read as they are. Runs in Node, on Node's own HTTP/2.
// Arguments: address, file of the roots, folder of the proto files, place as JSON, another place as JSON.
import grpc from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { readFileSync } from "node:fs";
import process from "node:process";

type Message = Record<string, unknown>;
type Call = (request: Message) => Promise<Message>;

const [address, caFile, protos, here, there] = process.argv.slice(2) as [string, string, string, string, string];
const DEADLINE_MS = 10_000;

const root = new protobuf.Root();
root.resolvePath = (_from, path) => `${protos}/${path}`;
root.loadSync("app-client.proto", { keepCase: true });
root.resolveAll();
const service = root.lookupService("distributed_match_engine.MatchEngineApi");
const methods = Object.fromEntries(
  service.methodsArray.map((method) => {
    const input = root.lookupType(`distributed_match_engine.${method.requestType}`);
    const output = root.lookupType(`distributed_match_engine.${method.responseType}`);
    return [method.name, {
      path: `/distributed_match_engine.MatchEngineApi/${method.name}`,
      requestStream: method.requestStream ?? false,
      responseStream: method.responseStream ?? false,
      requestSerialize: (value: Message) => Buffer.from(input.encode(input.fromObject(value)).finish()),
      requestDeserialize: (bytes: Uint8Array) => input.toObject(input.decode(bytes)),
      responseSerialize: (value: Message) => Buffer.from(output.encode(output.fromObject(value)).finish()),
      responseDeserialize: (bytes: Uint8Array) =>
        output.toObject(output.decode(bytes), { enums: String, longs: Number, defaults: true }) as Message,
    }];
  }),
);
const Client = grpc.makeGenericClientConstructor(methods, "MatchEngineApi");
const client = new Client(address, grpc.credentials.createSsl(readFileSync(caFile)));

const unary = (name: string): Call => (request) =>
  new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    client[name]!(request, options, (error: unknown, reply: Message) => error ? reject(error) : resolve(reply));
  });

const app = { org_name: "hyperion", app_name: "scoreboard", app_vers: "1.0" };
const { session_cookie } = await unary("RegisterClient")(app);
const gps_location = JSON.parse(here);
const found = await unary("FindCloudlet")({ session_cookie, gps_location });
const list = await unary("GetAppInstList")({ session_cookie, gps_location, limit: 2 });
const verified = await unary("VerifyLocation")({ session_cookie, gps_location });
const refused = await unary("FindCloudlet")({ session_cookie: "forged", gps_location }).catch((error) => error);

const stream = client.StreamEdgeEvent!({ deadline: Date.now() + 3 * DEADLINE_MS });
const events: Message[] = [];
const ended = new Promise((resolve, reject) => {
  stream.on("data", (event: Message) => {
    events.push(event);
    if (event.event_type === "EVENT_INIT_CONNECTION") {
      stream.write({ event_type: "EVENT_LOCATION_UPDATE", gps_location: JSON.parse(there) });
    }
    if (event.event_type === "EVENT_CLOUDLET_UPDATE") {
      stream.write({ event_type: "EVENT_LATENCY_SAMPLES", gps_location, samples: [{ value: 4 }, { value: -1 }] });
    }
    if (event.event_type === "EVENT_LATENCY_PROCESSED") stream.write({ event_type: "EVENT_TERMINATE_CONNECTION" });
  });
  stream.on("error", reject);
  stream.on("end", resolve);
});
const { edge_events_cookie } = found;
stream.write({ event_type: "EVENT_INIT_CONNECTION", session_cookie, edge_events_cookie });
await ended;
stream.end();
client.close();
console.log(JSON.stringify({ found, list, verified, refused: { code: refused.code }, events }));
