import assert from "node:assert/strict";
import { createNotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { ParentProcess, Trust, until, WAIT_MS } from "./parent_process.ts";

/** A network namespace with one link to this one. */
class Namespace implements AsyncDisposable {
  readonly name: string;
  readonly hostname: string;
  readonly #link: string;

  private constructor(name: string, hostname: string, link: string) {
    this.name = name;
    this.hostname = hostname;
    this.#link = link;
  }

  /** Undefined where it cannot be made: without Linux, `ip` or the right to. */
  static async create(): Promise<Namespace | undefined> {
    const id = crypto.getRandomValues(new Uint16Array(1))[0]!;
    const name = `notify-${id}`;
    const net = `10.${200 + (id >> 14)}.${(id >> 6) & 255}`;
    const host = (id & 63) * 4;
    if (Deno.build.os !== "linux" || !await ip("netns", "add", name)) return undefined;
    const made = new Namespace(name, `${net}.${host + 2}`, `ntf${id}`);
    const ready = await ip("link", "add", made.#link, "type", "veth", "peer", "name", "up0", "netns", name) &&
      await ip("addr", "add", `${net}.${host + 1}/30`, "dev", made.#link) &&
      await ip("link", "set", made.#link, "up") &&
      await ip("-n", name, "addr", "add", `${made.hostname}/30`, "dev", "up0") &&
      await ip("-n", name, "link", "set", "up0", "up") && await ip("-n", name, "link", "set", "lo", "up");
    if (ready) return made;
    await made[Symbol.asyncDispose]();
    return undefined;
  }

  /** Cuts the link, so that nothing comes through and nobody is told, or mends it. */
  async cut(cut: boolean): Promise<void> {
    assert.ok(await ip("-n", this.name, "link", "set", "up0", cut ? "down" : "up"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip("netns", "del", this.name);
  }
}

async function ip(...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

Deno.test("a partition that heals: the child keeps what it has, notices, comes back, and resumes", async () => {
  await using namespace = await Namespace.create();
  if (!namespace) {
    console.log("skipped: network namespaces need Linux, `ip` and the right to make them");
    return;
  }
  await using trust = await Trust.create();
  await using parent = await ParentProcess.start(trust.folder, 1_000, "v", {
    hostname: namespace.hostname,
    inside: ["ip", "netns", "exec", namespace.name],
  });
  const child = createNotifyClient({
    service: "dme",
    region: "eu",
    wants: ["App"],
    connect: roundRobin([`${namespace.hostname}:${parent.port}`], () => ({
      tls: trust.tls,
      keepaliveMs: 500,
      connectTimeoutMs: 1_000,
    })),
    backoff: { initialMs: 50, maxMs: 200 },
  });
  const apps = child.replica("App");
  const text = (key: string): string => new TextDecoder().decode(apps.get(key)).replace(/\.+$/, "");
  try {
    child.start();
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    await namespace.cut(true);
    await parent.tell({ do: "publish", keys: 10, value: "missed", rounds: 3 });
    await until(() => child.state() !== "inStep", () => "the child notices");
    assert.deepEqual([apps.size, apps.inStep, text("app0")], [1_000, false, "v"]);
    await namespace.cut(false);
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.deepEqual([apps.size, text("app0"), text("app10")], [1_000, "missed2", "v"]);
    // The half-dead stream has been replaced, not doubled, and only what was missed was sent.
    const streams = await parent.streams();
    assert.deepEqual(streams.map(({ snapshots, resumes, sentEntries }) => [snapshots, resumes, sentEntries]), [
      [0, 1, 11],
    ]);
  } finally {
    await child.stop();
  }
});
