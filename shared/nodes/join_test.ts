import assert from "node:assert/strict";
import {
  createNotifyClient,
  createNotifyHub,
  type NotifyClient,
  type NotifyHub,
  relay,
  roundRobin,
} from "../notify/mod.ts";
import { createServer } from "../rpc/mod.ts";
import {
  CloudletKind,
  type DebugReply,
  DebugRequest,
  type DeepPartial,
  Node,
  NodeKey,
  type NotifyNode,
} from "../schema/mod.ts";
import { createDebugCommands, type DebugCommands } from "../service/mod.ts";
import { createLogger, createMetrics, type Logger } from "../telemetry/mod.ts";
import { joinNodes, LEVEL_COMMANDS, type NodeTree } from "./mod.ts";

const SITE = { organization: "telco", name: "berlin", federatedOrganization: "" };
const WAIT_MS = 20_000;

interface Process extends AsyncDisposable {
  readonly key: NodeKey;
  readonly address: string;
  readonly hub: NotifyHub;
  readonly client: NotifyClient | undefined;
  readonly commands: DebugCommands;
  readonly log: Logger;
  readonly tree: NodeTree;
}

/** A process; `deaf` ones are in the tree and leave questions open. */
async function process(type: string, parent?: Process, { site = false, deaf = false } = {}): Promise<Process> {
  const key = NodeKey.create({ name: `${type}-1`, type, region: "eu", cloudletKey: site ? SITE : undefined });
  const hub = createNotifyHub({ service: type, region: "eu", instance: key.name, kinds: ["App"] });
  const server = createServer();
  hub.serve(server, () => ({}));
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const client = parent && createNotifyClient({
    service: type,
    region: "eu",
    cloudlet: site ? CloudletKind.keyString(SITE) : "",
    instance: key.name,
    wants: ["App"],
    connect: roundRobin([parent.address], () => ({})),
  });
  if (client) relay({ client, hub, down: ["App"] });
  else hub.markReady();
  const log = createLogger({ service: type, clock: { now: () => 0 }, sink: () => {} });
  const commands = createDebugCommands(log, createMetrics());
  const parts = {
    key,
    commands,
    describe: () => ({ hostname: "host", containerVersion: "1", properties: { pid: "7" } }),
    now: () => Date.now(),
  };
  const tree = joinNodes(deaf ? parts : { ...parts, hub, client });
  if (deaf) { for (const question of ["node", "notify-tree", "debug"]) client?.onMessage(question, () => {}); }
  client?.start();
  if (client) await client.whenInStep(AbortSignal.timeout(WAIT_MS));
  return {
    ...{ key, hub, client, commands, log, tree },
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await client?.stop();
      hub.close();
      await server.close();
    },
  };
}

async function collect(replies: AsyncIterable<DebugReply>): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { node, output } of replies) all[node.name] = output;
  return all;
}

const request = (body: DeepPartial<DebugRequest>): DebugRequest => DebugRequest.create(body);

Deno.test("nodes, the tree and commands, over three levels, by filter, and with who is silent", async (test) => {
  await using controller = await process("controller");
  await using dme = await process("dme", controller);
  await using crm = await process("crm", controller, { site: true });
  await using shepherd = await process("shepherd", crm, { site: true });
  const names = async (key: DeepPartial<NodeKey>, timeoutMs = WAIT_MS): Promise<string[]> =>
    (await controller.tree.nodes(Node.create({ key }), timeoutMs)).map((node) => node.key.name);

  await test.step("nodes describe themselves", async () => {
    const nodes = await controller.tree.nodes(Node.create({ key: { type: "shepherd" } }), WAIT_MS);
    assert.deepEqual(nodes, [
      Node.create({ key: shepherd.key, hostname: "host", containerVersion: "1", properties: { pid: "7" } }),
    ]);
    assert.deepEqual(await names({}), ["controller-1", "crm-1", "dme-1", "shepherd-1"].toSorted());
    assert.deepEqual(await names({ cloudletKey: SITE }), ["crm-1", "shepherd-1"]);
    assert.deepEqual(await names({ cloudletKey: { organization: "telco" } }), ["crm-1", "shepherd-1"]);
    assert.deepEqual(await names({ name: "dme-1" }), ["dme-1"]);
    assert.deepEqual(await names({ region: "us" }), []);
  });

  await test.step("the tree, each process below its parent", async () => {
    const shape = (rows: NotifyNode[]) =>
      rows.map(({ depth, key, parent, inStep, error }) => [depth, key.name, parent, inStep, error]);
    assert.deepEqual(shape(await controller.tree.notifyTree(NodeKey.create(), WAIT_MS)), [
      [0, "controller-1", "", true, ""],
      [1, "crm-1", "controller-1", true, ""],
      [2, "shepherd-1", "crm-1", true, ""],
      [1, "dme-1", "controller-1", true, ""],
    ]);
    assert.deepEqual(shape(await controller.tree.notifyTree(NodeKey.create({ type: "dme" }), WAIT_MS)), [
      [1, "dme-1", "controller-1", true, ""],
    ]);
  });

  await test.step("levels are switched where they are meant to be", async () => {
    dme.log.topic("dmereq");
    const enable = request({ node: { type: "dme" }, cmd: LEVEL_COMMANDS.enable, args: "dmereq" });
    assert.deepEqual(await collect(controller.tree.debug(enable, WAIT_MS)), {
      "dme-1": "on: dmereq; there are all,dmereq",
    });
    assert.deepEqual([dme.log.topics.enabled(), shepherd.log.topics.enabled()], [["dmereq"], []]);
    const shown = await collect(controller.tree.debug(request({ cmd: LEVEL_COMMANDS.show }), WAIT_MS));
    assert.deepEqual(Object.keys(shown).sort(), ["controller-1", "crm-1", "dme-1", "shepherd-1"]);
    assert.match(shown["shepherd-1"]!, /^on: none/);
  });

  await test.step("commands, also one that fails, and the streams of a process", async () => {
    shepherd.commands.add("explode", "", () => {
      throw new Error("boom");
    });
    const exploded = await collect(controller.tree.debug(request({ cmd: "explode" }), WAIT_MS));
    assert.equal(exploded["shepherd-1"], "Failed: boom");
    assert.match(exploded["dme-1"]!, /^Unknown command "explode"; there are /);
    const dump = request({ cmd: "dump-notify-state", node: { type: "crm" } });
    const [row] = JSON.parse((await collect(controller.tree.debug(dump, WAIT_MS)))["crm-1"]!);
    assert.deepEqual([row.name, row.inStep], ["shepherd-1", true]);
  });

  await test.step("who does not answer is told, where it matters", async () => {
    await using deaf = await process("dme2", controller, { deaf: true });
    const soon = 300;
    const nodes = await controller.tree.nodes(Node.create(), soon);
    assert.deepEqual(nodes.filter((node) => node.error !== "").map((node) => [node.key.name, node.error]), [
      [deaf.key.name, "has not answered in time"],
    ]);
    assert.equal(nodes.length, 5);
    const rows = await controller.tree.notifyTree(NodeKey.create(), soon);
    assert.deepEqual(rows.filter((row) => row.error !== "").map((row) => row.key.name), [deaf.key.name]);
    const replies = await collect(controller.tree.debug(request({ cmd: "show-memory" }), soon));
    assert.equal(replies[deaf.key.name], "No answer: it has not answered in time");
    // It is of no site, so nothing that a question about a site is after can hide behind it.
    assert.deepEqual(await names({ cloudletKey: SITE }, soon), ["crm-1", "shepherd-1"]);
  });

  await test.step("who takes no part in questions is not waited for", async () => {
    const client = createNotifyClient({
      service: "plain",
      region: "eu",
      wants: ["App"],
      connect: roundRobin([controller.address], () => ({})),
    });
    client.start();
    await client.whenInStep(AbortSignal.timeout(WAIT_MS));
    const begun = Date.now();
    assert.equal((await names({})).length, 4);
    assert.ok(Date.now() - begun < WAIT_MS / 2);
    await client.stop();
  });
});
