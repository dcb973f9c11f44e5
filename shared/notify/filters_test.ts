import assert from "node:assert/strict";
import { createServer } from "../rpc/mod.ts";
import type { Admission } from "./admission.ts";
import { createNotifyClient, type KindFilter, type NotifyClient, roundRobin } from "./client.ts";
import { createNotifyHub } from "./hub.ts";
import { filterText } from "./scopes.ts";

const WAIT_MS = 20_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Objects for cloudlets, organizations and pools: what the scopes stand for is told by their texts. */
const OBJECTS: Readonly<Record<string, readonly string[] | undefined>> = {
  everyones: undefined,
  berlin: ["cloudlet:berlin", "org:acme"],
  paris: ["cloudlet:paris", "org:acme", "pool:west"],
  rome: ["cloudlet:rome", "org:other", "pool:west"],
  nobodys: [],
};

async function withChild(
  admission: Admission,
  wants: readonly (string | KindFilter)[],
  work: (child: NotifyClient, hub: ReturnType<typeof createNotifyHub>) => Promise<void> | void,
): Promise<void> {
  const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App", "AppInst"] });
  hub.onOwned("Info", { update: () => {}, remove: () => {} }, { scopeOf: (key) => key });
  for (const kind of ["App", "AppInst"]) {
    for (const [key, scopes] of Object.entries(OBJECTS)) hub.publish(kind, key, bytes(kind), { scopes });
  }
  hub.markReady();
  const server = createServer();
  hub.serve(server, () => admission);
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const child = createNotifyClient({
    service: "dme",
    region: "eu",
    wants,
    owns: ["Info"],
    connect: roundRobin([`127.0.0.1:${port}`], () => ({})),
    backoff: { initialMs: 10, maxMs: 50 },
  });
  try {
    child.start();
    await work(child, hub);
  } finally {
    await child.stop();
    hub.close();
    await server.close();
  }
}

const keys = (child: NotifyClient, kind: string): string[] => [...child.replica(kind).keys()].sort();

Deno.test("a child of several cloudlets sees what is for any of them, and owns objects of each", async () => {
  await withChild({ scopes: ["cloudlet:berlin", "cloudlet:rome"] }, ["App", "AppInst"], async (child, hub) => {
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual(keys(child, "AppInst"), ["berlin", "everyones", "rome"]);
    const gone = Promise.withResolvers<string>();
    child.replica("AppInst").subscribe({ remove: (key) => gone.resolve(key) });
    // It moves within what the child sees, then out of it.
    hub.publish("AppInst", "rome", bytes("moved"), { scopes: ["cloudlet:berlin"] });
    hub.publish("AppInst", "berlin", bytes("moved"), { scopes: ["cloudlet:paris"] });
    assert.equal(await gone.promise, "berlin");
    assert.deepEqual(keys(child, "AppInst"), ["everyones", "rome"]);
    for (const scope of ["cloudlet:berlin", "cloudlet:rome"]) child.own("Info").put(scope, bytes("x"));
    assert.equal(hub.send("m", bytes(""), { cloudlet: "cloudlet:rome" }), 1);
    assert.equal(hub.send("m", bytes(""), { cloudlet: "cloudlet:paris" }), 0);
    const end = Date.now() + WAIT_MS;
    while ([...hub.ownedEntries("Info")].length < 2 && Date.now() < end) await new Promise((r) => setTimeout(r, 2));
    assert.deepEqual([...hub.ownedEntries("Info")].map(([key]) => key).sort(), ["cloudlet:berlin", "cloudlet:rome"]);
    assert.equal(child.info().connects, 1);
    child.own("Info").put("cloudlet:paris", bytes("x"));
    while (child.info().lastError === undefined && Date.now() < end) await new Promise((r) => setTimeout(r, 2));
    assert.match(String(child.info().lastError), /does not belong to cloudlet:berlin, cloudlet:rome/);
  });
});

Deno.test("filters differ by kind: by cloudlet, organization and pool", async () => {
  const admission = { scope: "cloudlet:berlin", filters: { App: ["org:acme"], AppInst: ["pool:west"] } };
  await withChild(admission, ["App", "AppInst"], async (child) => {
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual(keys(child, "App"), ["berlin", "everyones", "paris"]);
    assert.deepEqual(keys(child, "AppInst"), ["everyones", "paris", "rome"]);
  });
  await withChild({ scope: "cloudlet:berlin", filters: { App: undefined } }, ["App", "AppInst"], async (child) => {
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual(keys(child, "App"), Object.keys(OBJECTS).sort());
    assert.deepEqual(keys(child, "AppInst"), ["berlin", "everyones"]);
  });
});

Deno.test("a child may ask for less than it may see, and is refused when it asks for more", async () => {
  await withChild({}, ["App", { kind: "AppInst", scopes: ["org:other"] }], async (child) => {
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual([keys(child, "App").length, keys(child, "AppInst")], [5, ["everyones", "rome"]]);
  });
  const more = [{ kind: "AppInst", scopes: ["cloudlet:berlin", "cloudlet:rome"] }];
  await withChild({ scope: "cloudlet:berlin" }, more, async (child) => {
    const end = Date.now() + WAIT_MS;
    while (child.info().lastError === undefined && Date.now() < end) await new Promise((r) => setTimeout(r, 2));
    assert.match(String(child.info().lastError), /"AppInst" is not served for cloudlet:rome/);
    assert.equal(child.replica("AppInst").size, 0);
  });
});

Deno.test("a filter's text is bounded and tells it from others, whatever the order", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `cloudlet:${index}`);
  assert.ok(filterText(new Set(many)).length < 50);
  assert.equal(filterText(new Set(many)), filterText(new Set(many.toReversed())));
  assert.notEqual(filterText(new Set(many)), filterText(new Set(many.slice(1))));
  assert.notEqual(filterText(new Set(["a", "b"])), filterText('["a","b"] '));
});
