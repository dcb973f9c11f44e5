import assert from "node:assert/strict";
import { createChannel, createClient, createServer, type RpcError, type RpcServer, Status } from "../rpc/mod.ts";
import type { AdmissionRules } from "./admission.ts";
import { createNotifyClient, type NotifyClient, type NotifyClientOptions, roundRobin } from "./client.ts";
import { decodeFrame, encodeControl, encodeCounter } from "./frame.ts";
import { createNotifyHub, type NotifyHub, type NotifyHubOptions } from "./hub.ts";
import { rawNotifyApi } from "./service.ts";

const WAIT_MS = 30_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

function contents(entries: Iterable<[string, Uint8Array]>): Record<string, string> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, text(value)!]).sort());
}

interface World extends AsyncDisposable {
  readonly hub: NotifyHub;
  readonly server: RpcServer;
  readonly address: string;
  child(options?: Partial<NotifyClientOptions>): NotifyClient;
}

async function world(options: Partial<NotifyHubOptions> = {}, rules: AdmissionRules = () => ({})): Promise<World> {
  const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App", "AppInst"], ...options });
  const server = createServer();
  hub.serve(server, rules);
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${port}`;
  const children: NotifyClient[] = [];
  return {
    hub,
    server,
    address,
    child(clientOptions = {}) {
      const client = createNotifyClient({
        service: "dme",
        region: "eu",
        wants: ["App", "AppInst"],
        connect: roundRobin([address], () => ({})),
        backoff: { initialMs: 10, maxMs: 50 },
        ...clientOptions,
      });
      children.push(client);
      client.start();
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((child) => child.stop()));
      hub.close();
      await server.close();
    },
  };
}

Deno.test("a child receives what is there, then every change, and one that returns only what it missed", async () => {
  await using w = await world();
  for (let i = 0; i < 2_000; i++) w.hub.publish("App", `app${i}`, bytes(`v${i}`));
  w.hub.publish("AppInst", "inst", bytes("one"));
  w.hub.markReady();
  const child = w.child();
  await child.whenInStep();
  assert.equal(child.replica("App").size, 2_000);
  const events: string[] = [];
  child.replica("AppInst").subscribe({
    update: (key, value, old) => void events.push(`${key} ${text(old)} -> ${text(value)}`),
    remove: (key, old) => void events.push(`${key} ${text(old)} gone`),
  });
  w.hub.publish("AppInst", "inst", bytes("two"), { traceparent: "00-1" });
  w.hub.publish("AppInst", "other", bytes("three"));
  await until(() => child.replica("AppInst").size === 2, "the change has come");
  w.hub.publish("AppInst", "inst", undefined);
  await until(() => child.replica("AppInst").size === 1, "the deletion has come");
  assert.deepEqual(events, ["inst one -> two", "other undefined -> three", "inst two gone"]);

  await child.stop();
  w.hub.publish("App", "app0", undefined);
  w.hub.publish("App", "app1", bytes("new"));
  child.start();
  await child.whenInStep();
  assert.equal(child.replica("App").size, 1_999);
  assert.equal(text(child.replica("App").get("app1")), "new");
  const [stream] = w.hub.streams();
  assert.deepEqual([stream!.snapshots, stream!.resumes, stream!.sentEntries], [0, 2, 4]);
});

Deno.test("a child waits between two changes as it is told, applies nothing after its stop, and then resumes from there", async () => {
  await using w = await world();
  for (let i = 0; i < 1_000; i++) w.hub.publish("App", `app${i}`, bytes("old"));
  w.hub.markReady();
  const changed: string[] = [];
  let holds = (_size: number) => false;
  let release = () => {};
  const child = w.child({
    pause: () => holds(changed.length) ? new Promise<void>((resolve) => release = resolve) : undefined,
  });
  await child.whenInStep();
  child.replica("App").subscribe({ update: (key) => void changed.push(key) });
  holds = (size) => size === 300;
  for (let i = 0; i < 1_000; i++) w.hub.publish("App", `app${i}`, bytes("new"));
  await until(() => changed.length === 300, "it pauses");
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  await turn();
  assert.equal(changed.length, 300);
  const stopped = child.stop();
  release();
  await stopped;
  assert.equal(changed.length, 300);
  holds = () => false;
  child.start();
  await child.whenInStep();
  await until(() => changed.length === 1_000, "the rest has come");
  assert.equal(new Set(changed).size, 1_000);
  assert.deepEqual(new Set(Object.values(contents(child.replica("App").entries()))), new Set(["new"]));
});

Deno.test("nothing is served before the parent is ready", async () => {
  await using w = await world();
  w.hub.publish("App", "a", bytes("1"));
  w.hub.markReady("App");
  const child = w.child();
  await until(() => child.replica("App").inStep, "the first kind is in step");
  assert.equal(child.replica("AppInst").inStep, false);
  assert.equal(child.state(), "syncing");
  w.hub.markReady("AppInst");
  await child.whenInStep();
});

Deno.test("a change is encoded once for all children", async () => {
  await using w = await world();
  w.hub.markReady();
  const children = Array.from({ length: 5 }, () => w.child());
  await Promise.all(children.map((child) => child.whenInStep()));
  const before = encodeCounter.entries;
  w.hub.publish("App", "a", bytes("1"));
  await until(() => children.every((child) => child.replica("App").size === 1), "all have it");
  assert.equal(encodeCounter.entries - before, 1);
});

Deno.test("what a child owns reaches the parent, is re-sent to the next one, and goes when the child is lost", async () => {
  const events: string[] = [];
  const hear = (w: World, name: string): void => {
    w.hub.onOwned("CloudletInfo", {
      update: (key, value, child) => void events.push(`${name} ${key}=${text(value)} of ${child.service}`),
      remove: (key, _child, reason) => void events.push(`${name} ${key} ${reason}`),
    });
    w.hub.markReady();
  };
  await using first = await world({ graceMs: 50 });
  await using second = await world({ graceMs: 50 });
  hear(first, "first");
  hear(second, "second");
  const addresses = [first.address, second.address];
  const child = first.child({
    service: "crm",
    owns: ["CloudletInfo"],
    connect: roundRobin(addresses, () => ({}), () => 0),
  });
  child.own("CloudletInfo").put("x", bytes("READY"));
  child.own("CloudletInfo").put("y", bytes("INIT"));
  await until(() => events.length === 2, "both objects have come");
  child.own("CloudletInfo").delete("y");
  await until(() => events.length === 3, "the deletion has come");
  assert.deepEqual(events, [
    "first x=READY of crm",
    "first y=INIT of crm",
    "first y deleted",
  ]);
  events.length = 0;
  await first.server.close();
  await until(() => events.includes("first x lost") && events.includes("second x=READY of crm"), "it has moved");
  assert.equal(events.length, 2);
});

Deno.test("a child that comes back within the grace period loses nothing", async () => {
  const events: string[] = [];
  await using w = await world({ graceMs: WAIT_MS });
  w.hub.onOwned("CloudletInfo", {
    update: (key, value) => void events.push(`${key}=${text(value)}`),
    remove: (key, _child, reason) => void events.push(`${key} ${reason}`),
  });
  w.hub.markReady();
  const child = w.child({ owns: ["CloudletInfo"] });
  child.own("CloudletInfo").put("kept", bytes("1"));
  child.own("CloudletInfo").put("dropped", bytes("1"));
  await until(() => events.length === 2, "both have come");
  await child.stop();
  child.own("CloudletInfo").delete("dropped");
  child.start();
  await until(() => events.length === 3, "the deletion has come");
  assert.deepEqual(events, ["kept=1", "dropped=1", "dropped deleted"]);
});

Deno.test("scoped children see their own objects only, and lose what moves away", async () => {
  await using w = await world({}, (_identity, hello) => ({ scope: hello.cloudlet }));
  w.hub.markReady();
  w.hub.publish("App", "public", bytes("1"));
  w.hub.publish("AppInst", "i", bytes("1"), { scopes: ["here"] });
  w.hub.publish("AppInst", "j", bytes("1"), { scopes: ["there"] });
  const here = w.child({ cloudlet: "here" });
  const there = w.child({ cloudlet: "there" });
  await Promise.all([here.whenInStep(), there.whenInStep()]);
  assert.deepEqual(contents(here.replica("AppInst").entries()), { i: "1" });
  assert.deepEqual(contents(there.replica("AppInst").entries()), { j: "1" });
  w.hub.publish("AppInst", "i", bytes("2"), { scopes: ["there"] });
  await until(() => here.replica("AppInst").size === 0 && there.replica("AppInst").size === 2, "it has moved");
  assert.equal(here.replica("App").size, 1);
});

Deno.test("a scoped child may not own what belongs to another", async () => {
  const events: string[] = [];
  await using w = await world({}, () => ({ scope: "here" }));
  w.hub.onOwned("CloudletInfo", { update: (key) => void events.push(key), remove: () => {} }, {
    scopeOf: (key) => key,
  });
  w.hub.markReady();
  const child = w.child({ owns: ["CloudletInfo"] });
  child.own("CloudletInfo").put("here", bytes("1"));
  await until(() => events.length === 1, "its own has come");
  child.own("CloudletInfo").put("there", bytes("1"));
  await until(() => /does not belong/.test(child.info().lastError ?? ""), "it is refused");
  assert.deepEqual(events, ["here"]);
});

Deno.test("children of another region, of kinds not served, or refused by the rules are told why", async () => {
  await using w = await world({}, (_identity, hello) => hello.service === "mole" ? { refuse: "No moles" } : {});
  w.hub.markReady();
  const refusals: [Partial<NotifyClientOptions>, RegExp][] = [
    [{ region: "us" }, /of region eu, not us/],
    [{ wants: ["Secret"] }, /"Secret" is not served to dme/],
    [{ owns: ["Secret"] }, /"Secret" is not accepted from dme/],
    [{ service: "mole" }, /No moles/],
  ];
  for (const [options, why] of refusals) {
    const child = w.child(options);
    await until(() => why.test(child.info().lastError ?? ""), `${why}`);
    await child.stop();
  }
  await until(() => w.hub.streams().length === 0, "no stream is left");
});

Deno.test("messages find their children, and their replies the way back", async () => {
  await using w = await world();
  w.hub.markReady();
  const dme = w.child({ service: "dme" });
  const crm = w.child({ service: "crm", cloudlet: "c1" });
  await Promise.all([dme.whenInStep(), crm.whenInStep()]);
  const replies: string[] = [];
  w.hub.onMessage(
    "Reply",
    (value, child, { correlation }) => void replies.push(`${text(value)} from ${child.service} to ${correlation}`),
  );
  for (const child of [dme, crm]) {
    child.onMessage(
      "Request",
      (value, { correlation }) => void child.send("Reply", bytes(`re ${text(value)}`), { correlation }),
    );
  }
  assert.equal(w.hub.send("Request", bytes("a"), {}, { correlation: "1" }), 2);
  assert.equal(w.hub.send("Request", bytes("b"), { cloudlet: "c1" }, { correlation: "2" }), 1);
  assert.equal(w.hub.send("Request", bytes("c"), { service: "nobody" }), 0);
  await until(() => replies.length === 3, "all have replied");
  assert.deepEqual(replies.sort(), ["re a from crm to 1", "re a from dme to 1", "re b from crm to 2"]);
  await dme.stop();
  assert.equal(dme.send("Reply", bytes("late")), false);
  assert.equal(dme.info().droppedMessages, 1);
});

Deno.test("a newer stream of the same child replaces the older, which does not fight back", async () => {
  await using w = await world({ graceMs: 100 }, () => ({ name: "the child" }));
  w.hub.onOwned("Node", { update: () => {}, remove: () => {} });
  w.hub.markReady();
  const older = w.child({ instance: "older", owns: ["Node"] });
  older.own("Node").put("n", bytes("old"));
  await older.whenInStep();
  const newer = w.child({ instance: "newer", owns: ["Node"] });
  newer.own("Node").put("n", bytes("new"));
  await newer.whenInStep();
  await until(() => /Replaced by a newer instance/.test(older.info().lastError ?? ""), "the older is refused");
  const [stream, ...others] = w.hub.streams();
  assert.deepEqual([stream!.child.instance, others.length, newer.state()], ["newer", 0, "inStep"]);
  assert.deepEqual([...w.hub.ownedEntries("Node")].map(([key, value]) => [key, text(value)]), [["n", "new"]]);
});

Deno.test("a peer that sends garbage, or nothing, loses its stream and disturbs nobody", async () => {
  await using w = await world({ limits: { helloMs: 100 } });
  w.hub.markReady();
  const child = w.child();
  await child.whenInStep();
  const channel = createChannel({ address: w.address });
  const silent = Promise.withResolvers<void>();
  async function* frames(...sent: Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* sent;
    await silent.promise;
  }
  const hello = encodeControl({ hello: { version: 1, service: "dme", instance: "x" } });
  const endings: [Uint8Array[], Status][] = [
    [[new Uint8Array([1, 2, 3])], Status.INVALID_ARGUMENT],
    [[hello, new Uint8Array([0xff, 0xff, 0xff])], Status.INVALID_ARGUMENT],
    [[hello, hello], Status.INVALID_ARGUMENT],
    [[], Status.DEADLINE_EXCEEDED],
  ];
  for (const [sent, code] of endings) {
    const stream = createClient(rawNotifyApi, channel).streamNotice(frames(...sent));
    const outcome = await (async () => {
      for await (const _ of stream) { /* the parent's hello */ }
    })().then(() => undefined, (error: RpcError) => error.code);
    assert.equal(outcome, code);
  }
  silent.resolve();
  channel.close();
  w.hub.publish("App", "a", bytes("1"));
  await until(() => child.replica("App").size === 1, "the other child is served");
  await until(() => w.hub.streams().length === 1, "the bad streams are gone");
});

Deno.test("a child too old to be understood is told so", async () => {
  await using w = await world();
  const channel = createChannel({ address: w.address });
  const silent = Promise.withResolvers<void>();
  async function* frames(): AsyncGenerator<Uint8Array> {
    yield encodeControl({ hello: { version: 0, service: "dme", instance: "x" } });
    await silent.promise;
  }
  const answers: string[] = [];
  for await (const frame of createClient(rawNotifyApi, channel).streamNotice(frames())) {
    answers.push(decodeFrame(frame).refusal?.reason ?? "");
  }
  silent.resolve();
  channel.close();
  assert.deepEqual(answers, ["Protocol version 0 is older than 1, the oldest spoken here"]);
});
