import assert from "node:assert/strict";
import { createServer } from "../rpc/mod.ts";
import type { AdmissionRules } from "./admission.ts";
import { createNotifyClient, type NotifyClient, roundRobin } from "./client.ts";
import { createGatherer, type Gatherer } from "./gather.ts";
import { createNotifyHub, type NotifyHub } from "./hub.ts";
import { relay } from "./relay.ts";
import { hubMetrics, viewHub } from "./view.ts";

const WAIT_MS = 30_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

interface Node extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly hub: NotifyHub;
  readonly client: NotifyClient | undefined;
  readonly gatherer: Gatherer;
  stop(): Promise<void>;
}

interface NodeOptions {
  readonly parents?: readonly string[];
  readonly answer?: (question: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  readonly rules?: AdmissionRules;
  readonly cloudlet?: string;
  /** Where a root keeps the owned objects that come up. */
  readonly alerts?: Map<string, Uint8Array>;
}

/** A node that passes everything on; one without parents is a root. */
async function node(name: string, { parents, answer, rules, cloudlet = "", alerts }: NodeOptions = {}): Promise<Node> {
  const hub = createNotifyHub({ service: name, region: "eu", kinds: ["App", "AppInst"], instance: name, graceMs: 100 });
  const server = createServer();
  hub.serve(server, rules ?? (() => ({})));
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const client = parents && createNotifyClient({
    service: name,
    region: "eu",
    cloudlet,
    instance: name,
    wants: ["App", "AppInst"],
    owns: ["Alert"],
    connect: roundRobin(parents, () => ({}), () => 0),
    backoff: { initialMs: 10, maxMs: 50 },
  });
  const gatherer = createGatherer({
    type: "debug",
    node: { service: name, region: "eu", cloudlet, instance: name },
    hub,
    client,
    answer: answer ?? ((question) => new TextEncoder().encode(`${name}: ${new TextDecoder().decode(question)}`)),
  });
  if (!client) {
    hub.onOwned("Alert", {
      update: (key, value) => void alerts?.set(key, value),
      remove: (key) => void alerts?.delete(key),
    });
  } else {
    relay({
      client,
      hub,
      down: ["App", "AppInst"],
      up: ["Alert"],
      messagesDown: ["exec"],
      messagesUp: ["exec.reply"],
    });
    client.start();
  }
  let stopped = false;
  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    await client?.stop();
    hub.close();
    await server.close();
  }
  return { name, address: `127.0.0.1:${port}`, hub, client, gatherer, stop, [Symbol.asyncDispose]: stop };
}

/** Bytes that no message of the schema is made of: who would decode them would fail. */
const OPAQUE = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 7);

Deno.test("relays pass objects, owned objects and messages through five levels as the bytes that came", async () => {
  const alerts = new Map<string, Uint8Array>();
  await using root = await node("root", { alerts });
  root.hub.publish("App", "a", OPAQUE);
  root.hub.markReady();
  await using one = await node("one", { parents: [root.address] });
  await using two = await node("two", { parents: [one.address] });
  await using three = await node("three", { parents: [two.address] });
  const replies: Uint8Array[] = [];
  root.hub.onMessage("exec.reply", (value, _child, { correlation }) => {
    assert.equal(correlation, "c");
    replies.push(value);
  });
  const leaf = createNotifyClient({
    service: "leaf",
    region: "eu",
    wants: ["App", "AppInst"],
    owns: ["Alert"],
    connect: roundRobin([three.address], () => ({})),
    backoff: { initialMs: 10, maxMs: 50 },
  });
  const apps = leaf.replica("App");
  leaf.onMessage("exec", (value, { correlation }) => void leaf.send("exec.reply", value, { correlation }));
  leaf.own("Alert").put("high", OPAQUE);
  try {
    leaf.start();
    await leaf.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual(apps.get("a"), OPAQUE);
    await until(() => alerts.has("high"), "the owned object has come up");
    assert.deepEqual(alerts.get("high"), OPAQUE);
    root.hub.publish("App", "b", OPAQUE);
    root.hub.publish("App", "a", undefined);
    await until(() => apps.has("b") && !apps.has("a"), "the changes have come down");
    assert.equal(root.hub.send("exec", OPAQUE, {}, { correlation: "c" }), 1);
    await until(() => replies.length === 1, "the reply has come up");
    assert.deepEqual(replies, [OPAQUE]);
    leaf.own("Alert").delete("high");
    await until(() => !alerts.has("high"), "the deletion has come up");
  } finally {
    await leaf.stop();
  }
  void [one, two];
});

Deno.test("children below a relay keep what it has while its parent is away, and follow it to the next parent", async () => {
  await using first = await node("root");
  first.hub.publish("App", "a", Uint8Array.of(1));
  first.hub.publish("App", "gone", Uint8Array.of(1));
  first.hub.markReady();
  await using second = await node("root");
  second.hub.publish("App", "a", Uint8Array.of(2));
  second.hub.markReady();
  await using middle = await node("middle", { parents: [first.address, second.address] });
  await using low = await node("low", { parents: [middle.address] });
  await low.client!.whenInStep(AbortSignal.timeout(WAIT_MS));
  const apps = low.client!.replica("App");
  assert.deepEqual([...apps.entries()], [["a", Uint8Array.of(1)], ["gone", Uint8Array.of(1)]]);
  await first.stop();
  await until(() => !apps.has("gone"), "the second parent's view has come through");
  assert.deepEqual([...apps.entries()], [["a", Uint8Array.of(2)]]);
  // Below the relay the stream never broke.
  assert.equal(low.client!.info().connects, 1);
});

Deno.test("children spread over several parents, and each tries all of them in turn", () => {
  const addresses = ["a:1", "b:1", "c:1"];
  const first: string[] = [];
  for (let i = 0; i < 9; i++) {
    const connect = roundRobin(addresses, () => ({}), () => i / 9);
    const channels = [connect(), connect(), connect(), connect()];
    const tried = channels.map((channel) => channel.address);
    assert.deepEqual(tried.slice(0, 3).sort(), addresses);
    assert.equal(tried[3], tried[0]);
    first.push(tried[0]!);
    for (const channel of channels) channel.close();
  }
  assert.deepEqual(first, ["a:1", "a:1", "a:1", "b:1", "b:1", "b:1", "c:1", "c:1", "c:1"]);
});

Deno.test("a question gathers the answers of all nodes, and says who has not answered", async () => {
  const held = Promise.withResolvers<Uint8Array>();
  await using root = await node("root");
  root.hub.markReady();
  await using left = await node("left", { parents: [root.address], cloudlet: "berlin" });
  await using right = await node("right", { parents: [root.address], answer: () => Promise.reject(new Error("no")) });
  await using low = await node("low", { parents: [left.address], cloudlet: "berlin" });
  await using mute = await node("mute", { parents: [left.address], answer: () => held.promise });
  for (const each of [left, right, low, mute]) await each.client!.whenInStep(AbortSignal.timeout(WAIT_MS));
  const question = new TextEncoder().encode("how");

  const all = await root.gatherer.ask(question, { timeoutMs: 2_000 });
  const said = all.replies.map(({ node, value, error }) =>
    error ?? `${node.instance}=${new TextDecoder().decode(value)}`
  );
  assert.deepEqual(said.sort(), ["left=left: how", "low=low: how", "no", "root=root: how"]);
  assert.deepEqual([all.silent.map((each) => each.instance), all.dropped], [["mute"], 0]);

  const some = await root.gatherer.ask(question, { timeoutMs: WAIT_MS, to: { service: "low" } });
  assert.deepEqual([some.replies.map((each) => each.node.instance), some.silent], [["low"], []]);
  const there = await root.gatherer.ask(question, { timeoutMs: WAIT_MS, to: { cloudlet: "berlin" } });
  assert.deepEqual([there.replies.map((each) => each.node.instance).sort(), there.silent], [["left", "low"], []]);

  const asked = root.gatherer.ask(question, { timeoutMs: WAIT_MS, to: { instance: "mute" } });
  await until(() => mute.gatherer.open === 1, "the question has arrived");
  await mute.stop();
  const gone = await asked;
  assert.deepEqual([gone.replies, gone.silent.map((each) => each.instance)], [[], ["mute"]]);
  assert.equal(root.gatherer.open, 0);
  held.resolve(question);
  void [right, low];
});

Deno.test("scopes are texts: an organization or a pool is one as a cloudlet is", async () => {
  const rules: AdmissionRules = (_identity, hello) => ({ scope: hello.cloudlet });
  await using root = await node("root", { rules });
  root.hub.publish("App", "own", Uint8Array.of(1), { scopes: ["cloudlet:berlin"] });
  root.hub.publish("App", "pooled", Uint8Array.of(1), { scopes: ["pool:telco/gold", "cloudlet:berlin"] });
  root.hub.publish("App", "operated", Uint8Array.of(1), { scopes: ["org:telco"] });
  root.hub.publish("App", "all", Uint8Array.of(1));
  root.hub.markReady();
  const seen: Record<string, string[]> = {};
  for (const scope of ["cloudlet:berlin", "pool:telco/gold", "org:telco", "org:other"]) {
    await using child = await node("child", { parents: [root.address], cloudlet: scope });
    await child.client!.whenInStep(AbortSignal.timeout(WAIT_MS));
    seen[scope] = [...child.client!.replica("App").keys()].sort();
  }
  assert.deepEqual(seen, {
    "cloudlet:berlin": ["all", "own", "pooled"],
    "pool:telco/gold": ["all", "pooled"],
    "org:telco": ["all", "operated"],
    "org:other": ["all"],
  });
});

Deno.test("the view tells each stream's lag, queue, bytes and reconnects", async () => {
  await using root = await node("root");
  root.hub.publish("App", "a", Uint8Array.of(1));
  root.hub.markReady();
  await using child = await node("child", { parents: [root.address], cloudlet: "berlin" });
  await child.client!.whenInStep(AbortSignal.timeout(WAIT_MS));
  await child.client!.stop();
  child.client!.start();
  await child.client!.whenInStep(AbortSignal.timeout(WAIT_MS));
  const view = viewHub(root.hub, Date.now());
  const [stream] = view.streams;
  assert.equal(view.epoch, root.hub.epoch);
  assert.deepEqual(
    [stream!.service, stream!.cloudlet, stream!.reconnects, stream!.inStep, stream!.lag, stream!.queuedMessages],
    ["child", "berlin", 1, true, 0, 0],
  );
  assert.ok(stream!.sentBytes > 0 && stream!.address.startsWith("127.0.0.1:"));
  // Published in this very tick, it cannot have been sent yet.
  root.hub.publish("App", "b", Uint8Array.of(1));
  root.hub.publish("App", "c", Uint8Array.of(1));
  root.hub.send("exec", Uint8Array.of(1));
  const [behind] = viewHub(root.hub, Date.now()).streams;
  assert.deepEqual([behind!.inStep, behind!.lag, behind!.behind, behind!.queuedMessages], [false, 2, { App: 2 }, 1]);
  const { sentBytes, receivedBytes, ...metrics } = hubMetrics(root.hub);
  assert.deepEqual(metrics, {
    streams: [[{ service: "child" }, 1]],
    lag: [[{ service: "child" }, 2]],
    queued: [[{ service: "child" }, 1]],
    connects: [[{ service: "child" }, 2]],
    droppedMessages: [[{ service: "child" }, 0]],
  });
  // The first stream, whose snapshot the second did not need, has ended and still counts.
  assert.ok(sentBytes[0]![1] > stream!.sentBytes && receivedBytes[0]![1] >= stream!.receivedBytes);
  await child.client!.stop();
  await until(() => root.hub.streams().length === 0, "the child is gone");
  assert.deepEqual(hubMetrics(root.hub).streams, []);
  assert.deepEqual(hubMetrics(root.hub).connects, [[{ service: "child" }, 2]]);
});
