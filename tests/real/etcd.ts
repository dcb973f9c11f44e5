import assert from "node:assert/strict";

const PATIENCE_MS = 30_000;

/** A Debian etcd (package etcd-server) with its data in a folder of its own. */
export class Etcd {
  readonly url: string;
  readonly #folder: string;
  readonly #ports: [number, number];
  #process: Deno.ChildProcess | undefined;

  constructor(folder: string, ports: [number, number]) {
    this.#folder = folder;
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports[0]}`;
  }

  async start(): Promise<void> {
    const peer = `http://127.0.0.1:${this.#ports[1]}`;
    this.#process = new Deno.Command("etcd", {
      args: [
        ...["--data-dir", `${this.#folder}/data`, "--name", "one", "--log-level", "error"],
        ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
        ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `one=${peer}`],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await fetch(`${this.url}/health`).then((response) => response.text(), () => "");
      if (answer.includes('"true"')) return;
      assert.ok(performance.now() < deadline, "etcd does not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Starts an empty etcd on free ports of this machine. */
export async function startEtcd(): Promise<Etcd> {
  const listeners = [0, 0].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  const etcd = new Etcd(await Deno.makeTempDir(), ports as [number, number]);
  await etcd.start();
  return etcd;
}
