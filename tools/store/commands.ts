import { ConfigError } from "../../shared/service/mod.ts";
import type { Store } from "../../shared/store/mod.ts";
import { checkDump, dumpLines, type DumpSummary, restoreDump } from "../../tiers/regional/controller/state/dump.ts";
import { modelVersion, readVersion } from "../../tiers/regional/controller/state/version.ts";
import { UPGRADES } from "../../tiers/regional/controller/state/upgrades.ts";

/** What `store` can do, with words for the help. */
export const STORE_COMMANDS = {
  info: "what the store holds, by kind, and of which version it is",
  dump: "write all objects as lines of JSON, with a checksum",
  restore: "write a dump into an empty store; what was cut off is finished by running it again",
} as const;

/** Where a command writes. */
export interface StoreOutput {
  /** What was asked for. */
  out(text: string): void;
  /** Remarks for people. */
  say(text: string): void;
}

/** Runs one command. Throws with what to do about it when it cannot. */
export async function runStoreCommand(
  command: string,
  store: Store,
  file: string | undefined,
  output: StoreOutput,
): Promise<void> {
  switch (command as keyof typeof STORE_COMMANDS) {
    case "info":
      return await info(store, output);
    case "dump":
      return await dump(store, file, output);
    case "restore": {
      if (file === undefined) throw usage("--file", undefined, "restore needs one, as a dump is read twice");
      const summary = await restoreDump(store, () => readLines(file), (rows) => output.say(`\r${rows} rows`));
      return output.say(`\rRestored ${described(summary)}\n`);
    }
    default:
      throw usage("COMMAND", command, `must be one of ${Object.keys(STORE_COMMANDS).join(", ")}`);
  }
}

function usage(option: string, value: string | undefined, rule: string): ConfigError {
  return new ConfigError([{ option, source: "command line", value, rule }]);
}

async function info(store: Store, { out }: StoreOutput): Promise<void> {
  const found = await readVersion(store);
  if (found === undefined) return out("The store holds no region's objects\n");
  const newest = modelVersion(UPGRADES);
  const age = found.version === newest ? "" : ` (this program writes ${newest})`;
  out(`region ${found.region}, data model version ${found.version}${age}\n`);
  const sizes = new Map<string, number>();
  for await (const line of dumpLines(store)) {
    const kind = (JSON.parse(line).key as string | undefined)?.split("/")[2];
    if (kind !== undefined) sizes.set(kind, (sizes.get(kind) ?? 0) + 1);
  }
  for (const [kind, size] of [...sizes].sort()) out(`${`${size}`.padStart(8)} ${kind}\n`);
}

async function dump(store: Store, file: string | undefined, { out, say }: StoreOutput): Promise<void> {
  if (file === undefined) {
    for await (const line of dumpLines(store)) out(line + "\n");
    return;
  }
  // Objects hold variables of sites: a dump is for its owner alone, and whole or not there.
  const partial = `${file}.partial`;
  const target = await Deno.open(partial, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    const writer = target.writable.getWriter();
    const encoder = new TextEncoder();
    for await (const line of dumpLines(store)) await writer.write(encoder.encode(line + "\n"));
    await target.sync();
    await writer.close();
  } catch (error) {
    await Deno.remove(partial);
    throw error;
  }
  await Deno.rename(partial, file);
  say(`Dumped ${described(await checkDump(readLines(file)))}\n`);
}

function described({ rows, region, version, sha256 }: DumpSummary): string {
  return `${rows} rows of region ${region}, data model version ${version}, SHA-256 ${sha256}`;
}

async function* readLines(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const text of (await Deno.open(path)).readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
