import type { Clock, FileLock, Files } from "../../shared/runtime/mod.ts";
import { UpError } from "./failure.ts";
import { DATA_VERSION, type Layout } from "./layout.ts";
import { startTime } from "./proc.ts";

/** A process that `up` started, so that a successor recognises it. */
interface ProcessRecord {
  pid: number;
  startTime: string;
}

/** A data folder that this process alone uses. */
export interface DataFolder {
  readonly layout: Layout;
  /** Notes which processes belong to the platform now. */
  recordProcesses(pids: readonly number[]): Promise<void>;
  release(): void;
}

/** Time that leftovers of a killed `up` get to end by themselves, ms. */
const LEFTOVER_PATIENCE_MS = 15_000;

/**
 * Opens the data folder, or makes it, and ends what a killed predecessor left running.
 * @throws {UpError} when it is in use, of another version, of another owner, or no data folder at all.
 */
export async function openDataFolder(layout: Layout, files: Files, clock: Clock): Promise<DataFolder> {
  await checkFolder(layout, files);
  await files.makeDirectory(layout.root, { mode: 0o711 });
  const lock = await files.tryLock(layout.lock);
  if (!lock) {
    throw new UpError(`already running on ${layout.root} (${await holder(layout, files)}). Stop it with Ctrl-C there.`);
  }
  try {
    if (!await files.exists(layout.version)) {
      await files.writeAtomic(layout.version, JSON.stringify({ version: DATA_VERSION, uid: Deno.uid() }) + "\n");
    }
    await files.writeAtomic(`${layout.root}/up.pid`, `${Deno.pid}\n`);
    await files.remove(layout.info);
    await endLeftovers(layout, files, clock);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    layout,
    async recordProcesses(pids) {
      const records = pids.map((pid) => ({ pid, startTime: startTime(pid) })).filter((record) => record.startTime);
      await files.writeAtomic(layout.processes, JSON.stringify(records) + "\n");
    },
    release: () => release(lock),
  };
}

/** Asks every process that belongs to the platform to end at once, for an `up` that waits for none of them. */
export function interruptRecorded(layout: Layout): void {
  let records: ProcessRecord[];
  try {
    records = JSON.parse(Deno.readTextFileSync(layout.processes));
  } catch {
    return;
  }
  for (const { pid, startTime: began } of records) {
    // for PostgreSQL this is the fast way down; SIGTERM would wait for its clients
    if (startTime(pid) === began) Deno.kill(pid, "SIGINT");
  }
}

function release(lock: FileLock): void {
  lock.release();
}

async function checkFolder(layout: Layout, files: Files): Promise<void> {
  if (/[,\n]/.test(layout.root)) {
    throw new UpError(`--data ${layout.root}: permission lists cannot hold a comma; choose another folder.`);
  }
  const stat = await files.stat(layout.root);
  if (stat === undefined) return;
  if (stat.kind !== "directory") throw new UpError(`--data ${layout.root} is a ${stat.kind}, not a folder.`);
  const entries = await files.list(layout.root);
  if (entries.length === 0) return;
  let found: { version?: unknown; uid?: unknown };
  try {
    found = JSON.parse(await files.readText(layout.version));
  } catch {
    throw new UpError(
      `--data ${layout.root} holds other things (${entries[0]!.name}, …), no platform; choose an empty folder.`,
    );
  }
  if (found.version !== DATA_VERSION) {
    throw new UpError(
      `--data ${layout.root} is of version ${found.version}, this release reads version ${DATA_VERSION}; use the release that wrote it, or another folder.`,
    );
  }
  if (found.uid !== Deno.uid()) {
    throw new UpError(
      `--data ${layout.root} belongs to user ${found.uid}, you are ${Deno.uid()}; run as that user, or choose another folder.`,
    );
  }
}

async function holder(layout: Layout, files: Files): Promise<string> {
  try {
    return `process ${(await files.readText(`${layout.root}/up.pid`)).trim()}`;
  } catch {
    return "another process";
  }
}

async function endLeftovers(layout: Layout, files: Files, clock: Clock): Promise<void> {
  let records: ProcessRecord[];
  try {
    records = JSON.parse(await files.readText(layout.processes));
  } catch {
    return;
  }
  const alive = () => records.filter((record) => startTime(record.pid) === record.startTime);
  for (const { pid } of alive()) Deno.kill(pid, "SIGTERM");
  const until = clock.monotonic() + LEFTOVER_PATIENCE_MS;
  while (alive().length > 0 && clock.monotonic() < until) await clock.sleep(100);
  for (const { pid } of alive()) Deno.kill(pid, "SIGKILL");
}
