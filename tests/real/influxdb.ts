import assert from "node:assert/strict";

const PATIENCE_MS = 30_000;

/** A Debian InfluxDB (package influxdb) with its data in a folder of its own. */
export interface Influx extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts an empty InfluxDB on free ports of this machine. */
export async function startInflux(options: { auth?: boolean } = {}): Promise<Influx> {
  const listeners = [0, 0].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const [http, rpc] = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  const folder = await Deno.makeTempDir();
  const url = `http://127.0.0.1:${http}`;
  await Deno.writeTextFile(
    `${folder}/influxdb.conf`,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
[http]
  bind-address = "127.0.0.1:${http}"
  auth-enabled = ${options.auth === true}
  log-enabled = false
`,
  );
  let process: Deno.ChildProcess | undefined;
  async function start(): Promise<void> {
    process = new Deno.Command("influxd", {
      args: ["run", "-config", `${folder}/influxdb.conf`],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await fetch(`${url}/ping`).then(async (response) => {
        await response.body?.cancel();
        return response.status;
      }, () => 0);
      if (status === 204) return;
      assert.ok(performance.now() < deadline, "influxd does not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  async function stop(): Promise<void> {
    process?.kill("SIGKILL");
    await process?.status;
    process = undefined;
  }
  await start();
  return {
    url,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
