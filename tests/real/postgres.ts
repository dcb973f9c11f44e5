import { join } from "node:path";

/** A Debian PostgreSQL (package postgresql) with a cluster of a test's own. */
export class DebianCluster {
  readonly url: string;
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;

  private constructor(programs: string, folder: string, port: number, password: string) {
    this.#programs = programs;
    this.#folder = folder;
    this.#port = port;
    this.url = `postgres://archipelago:${password}@127.0.0.1:${port}/archipelago`;
  }

  static async create(): Promise<DebianCluster> {
    const programs = await newestPrograms();
    const folder = await Deno.makeTempDir({ dir: "/tmp" });
    if (Deno.uid() === 0) await run("chown", ["postgres", folder]);
    const password = crypto.randomUUID();
    const passwordFile = join(folder, "password");
    await Deno.writeTextFile(passwordFile, password);
    await asServer(join(programs, "initdb"), [
      ...["-D", join(folder, "data"), "-U", "archipelago", "--pwfile", passwordFile],
      ...["-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8"],
    ]);
    const cluster = new DebianCluster(programs, folder, freePort(), password);
    await cluster.#start();
    const env = { PGPASSWORD: password };
    const connection = ["-h", "127.0.0.1", "-p", String(cluster.#port), "-U", "archipelago"];
    await run(join(programs, "createdb"), [...connection, "archipelago"], env);
    return cluster;
  }

  async crashAndRestart(): Promise<void> {
    const [pid] = (await Deno.readTextFile(join(this.#folder, "data", "postmaster.pid"))).split("\n");
    await run("kill", ["-9", pid!]);
    // Orphaned back-ends hold the shared memory for a moment; pg_ctl refuses to start until they are gone.
    const deadline = performance.now() + 30_000;
    for (;;) {
      try {
        return await this.#start();
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }

  async restart(whileDown: () => Promise<void>): Promise<void> {
    await this.#stop();
    await whileDown();
    await this.#start();
  }

  async remove(): Promise<void> {
    await this.#stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const settings = `-c listen_addresses=127.0.0.1 -c port=${this.#port} -c unix_socket_directories=`;
    const log = join(this.#folder, "log");
    await asServer(join(this.#programs, "pg_ctl"), [
      "-D",
      join(this.#folder, "data"),
      "-l",
      log,
      "-w",
      "-o",
      settings,
      "start",
    ]);
  }

  async #stop(): Promise<void> {
    await asServer(join(this.#programs, "pg_ctl"), ["-D", join(this.#folder, "data"), "-m", "fast", "-w", "stop"]);
  }
}

async function newestPrograms(): Promise<string> {
  const versions: number[] = [];
  for await (const entry of Deno.readDir("/usr/lib/postgresql")) versions.push(Number(entry.name));
  return `/usr/lib/postgresql/${Math.max(...versions)}/bin`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Runs a program as the account that Debian's package makes, when the test runs as root. */
async function asServer(program: string, args: string[]): Promise<void> {
  if (Deno.uid() !== 0) return await run(program, args);
  await run("setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", program, ...args]);
}

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  // The server that pg_ctl leaves behind inherits its output; a pipe would stay open for good.
  const { success, code } = await new Deno.Command(program, { args, env, cwd: "/tmp", stdout: "null", stderr: "null" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}
