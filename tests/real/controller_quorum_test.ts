// Two controllers on a three-node etcd that loses a node, then its quorum, then comes back.
import assert from "node:assert/strict";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { Flavor } from "../../shared/schema/mod.ts";
import { openStore } from "../../shared/store/mod.ts";
import { all, flavor, World } from "../../tiers/regional/controller/testing/world.ts";

const REAL = Deno.env.get("ARCHIPELAGO_REAL") === "1";
const NODES = 3;
const PATIENCE_MS = 60_000;
/** Longest time in which a call must end while the store does not answer, ms. */
const BOUND_MS = 30_000;

class Cluster {
  readonly #folder: string;
  readonly #ports: number[];
  readonly #running = new Map<number, Deno.ChildProcess>();

  constructor(folder: string) {
    this.#folder = folder;
    const listeners = Array.from({ length: 2 * NODES }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    this.#ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
    for (const listener of listeners) listener.close();
  }

  client(node: number): string {
    return `http://127.0.0.1:${this.#ports[node]}`;
  }

  get url(): string {
    return `etcd:${[0, 1, 2].map((node) => this.client(node)).join(",")}`;
  }

  start(node: number): void {
    const peer = (of: number) => `http://127.0.0.1:${this.#ports[NODES + of]}`;
    const process = new Deno.Command("etcd", {
      args: [
        ...["--data-dir", `${this.#folder}/${node}`, "--name", `n${node}`, "--log-level", "error"],
        ...["--listen-client-urls", this.client(node), "--advertise-client-urls", this.client(node)],
        ...["--listen-peer-urls", peer(node), "--initial-advertise-peer-urls", peer(node)],
        ...["--initial-cluster", [0, 1, 2].map((of) => `n${of}=${peer(of)}`).join(",")],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#running.set(node, process);
  }

  async kill(node: number): Promise<void> {
    const process = this.#running.get(node);
    if (process === undefined) return;
    this.#running.delete(node);
    process.kill("SIGKILL");
    await process.status;
  }

  /** The node that the others follow. */
  async leader(): Promise<number> {
    for (const node of this.#running.keys()) {
      const answer = await fetch(`${this.client(node)}/v3/maintenance/status`, { method: "POST", body: "{}" });
      const status = await answer.json() as { header: { member_id: string }; leader: string };
      if (status.leader === status.header.member_id) return node;
    }
    throw new Error("There is no leader");
  }

  async dispose(): Promise<void> {
    for (const node of [0, 1, 2]) await this.kill(node);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!await holds()) {
    assert.ok(performance.now() < deadline, `Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test({
  name: "two controllers outlive the loss of etcd's leader, say when the quorum is gone, and lose nothing",
  ignore: !REAL,
  // The gRPC client of etcd frees its sockets and timers a moment after close.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const cluster = new Cluster(await Deno.makeTempDir());
    for (const node of [0, 1, 2]) cluster.start(node);
    const stores = await Promise.all([openStore(cluster.url), openStore(cluster.url)]);
    try {
      await eventually("etcd answers", async () => (await stores[0]!.status()).healthy);
      await using one = await World.start({ store: stores[0] });
      await using two = await World.start({ store: stores[1], parts: { id: "two" } });
      const acknowledged: string[] = [];
      const create = async (world: World, name: string) => {
        await world.api.flavors.createFlavor(flavor(name));
        acknowledged.push(name);
      };
      const creatable = (world: World, name: string) => () => create(world, name).then(() => true, () => false);
      await create(one, "before");

      const leader = await cluster.leader();
      await cluster.kill(leader);
      for (const [index, world] of [one, two].entries()) {
        let attempt = 0;
        await eventually("a controller works without the leader", () => creatable(world, `l${index}-${attempt++}`)());
      }

      const second = [0, 1, 2].find((node) => node !== leader)!;
      await cluster.kill(second);
      for (const [index, world] of [one, two].entries()) {
        const begun = performance.now();
        await assert.rejects(create(world, `lost-${index}`), (error) => {
          assert.ok(error instanceof RpcError, String(error));
          assert.equal(error.code, Status.UNAVAILABLE, error.message);
          assert.match(error.message, /store does not answer/);
          return true;
        });
        assert.ok(performance.now() - begun < BOUND_MS, "the refusal came too late");
      }
      const { healthy, detail } = await stores[0]!.status();
      assert.equal(healthy, false, detail);
      assert.notEqual(detail, "");

      for (const node of [leader, second]) cluster.start(node);
      for (const [index, world] of [one, two].entries()) {
        let attempt = 0;
        await eventually("a controller works again", () => creatable(world, `back${index}-${attempt++}`)());
      }
      for (const world of [one, two]) {
        await eventually("a controller shows all that was acknowledged", async () => {
          const names = (await all(world.api.flavors.showFlavor(Flavor.create()))).map(({ key }) => key.name);
          return acknowledged.every((name) => names.includes(name));
        });
      }
    } finally {
      for (const store of stores) await store.close();
      await cluster.dispose();
    }
  },
});
