import { createAuthority } from "../../../shared/rpc/conformance/certificates.ts";
import type { BenchContext } from "../mod.ts";
import type { ServerKind } from "./api.ts";
import { BenchProcess } from "./process.ts";

/** What the groups of figures share: certificates in a folder, and the processes that are to end with the run. */
export interface Setting {
  readonly context: BenchContext;
  readonly folder: string;
  /** Starts a server in a process of its own. */
  server(kind: ServerKind): Promise<{ process: BenchProcess; port: number }>;
  /** Starts a process of clients that aim at a port. */
  client(port: number): Promise<BenchProcess>;
  /** Ends every process that is still there. */
  endAll(): Promise<void>;
}

/** Names of the two ways to secure a connection, as they stand in the figures. */
export const TRANSPORTS = [
  { name: "tls", mutual: false },
  { name: "mutual", mutual: true },
] as const;

/** Makes certificates in a folder of its own. */
export async function createSetting(context: BenchContext): Promise<Setting> {
  const folder = await Deno.makeTempDir({ prefix: "archipelago-bench-" });
  const authority = await createAuthority("bench");
  const { cert, key } = await authority.issue("spiffe://archipelago/bench");
  for (const [name, text] of Object.entries({ cert, key, ca: authority.ca })) {
    await Deno.writeTextFile(`${folder}/${name}.pem`, text);
  }
  const running: BenchProcess[] = [];
  function start(script: string): BenchProcess {
    const process = new BenchProcess(script, folder);
    running.push(process);
    return process;
  }
  return {
    context,
    folder,
    async server(kind) {
      const process = start("./server_process.ts");
      return { process, port: await process.ask<number>("start", kind) };
    },
    async client(port) {
      const process = start("./client_process.ts");
      await process.ask("aim", port);
      return process;
    },
    async endAll() {
      await Promise.all(running.splice(0).map((process) => process.end()));
    },
  };
}

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Waits until something holds; gives up after a minute. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`Not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
