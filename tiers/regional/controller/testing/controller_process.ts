// A controller in a process of its own, to be killed: arguments are the store's URL and the two ports.
import { openStore } from "../../../../shared/store/mod.ts";
import { World } from "./world.ts";

const [url, api, notify] = Deno.args;
const store = await openStore(url!);
await World.start({ store, ports: { api: Number(api), notify: Number(notify) } });
console.log("ready");
