import { type Store, type StoreEntry, transaction } from "../../../../shared/store/mod.ts";
import { ControllerKind } from "../../../../shared/schema/mod.ts";
import { decodeRow, encodeRow, STORE_PREFIX, VERSION_ROW } from "./rows.ts";
import { type Upgrade, UPGRADES } from "./upgrades.ts";

/** What the version row of a region's store says first. */
export const STORE_FORMAT = "archipelago-region";

/** Version of the data model that the upgrades lead to. */
export function modelVersion(upgrades: readonly Upgrade[]): number {
  return upgrades.at(-1)?.to ?? 1;
}

/** A store that this controller must not work on; the message says why and what to do. */
export class WrongStoreError extends Error {
  override readonly name = "WrongStoreError";
}

/** Options of {@linkcode claimStore}. */
export interface ClaimOptions {
  /** Bring a store of an earlier version up to this one, in place. @default false */
  autoUpgrade?: boolean;
  /** @default all there are */
  upgrades?: readonly Upgrade[];
  /** Told of every step. */
  log?(message: string, fields: Record<string, unknown>): void;
}

/** Rows that one transaction of an upgrade takes, so that it stays far below what a transaction may touch. */
const UPGRADE_BATCH_ROWS = 50;

/**
 * Marks an empty store as this region's, and refuses one of a later version, another region or another program, in
 * which nothing is changed. A store of an earlier version is upgraded step by step where that is wanted, else refused.
 */
export async function claimStore(store: Store, region: string, options: ClaimOptions = {}): Promise<void> {
  const upgrades = options.upgrades ?? UPGRADES;
  const newest = modelVersion(upgrades);
  const found = await readVersion(store);
  if (found === undefined) {
    await requireEmpty(store);
    await transaction(store, async (tx) => {
      const row = { format: STORE_FORMAT, version: newest, region };
      if (await tx.get(VERSION_ROW) === undefined) tx.put(VERSION_ROW, encodeRow(row));
    });
    return await claimStore(store, region, options);
  }
  if (found.region !== region) {
    throw new WrongStoreError(`Store belongs to region ${found.region}, this controller serves region ${region}`);
  }
  if (found.version > newest) {
    throw new WrongStoreError(
      `Store has data model version ${found.version}, this program knows up to ${newest}: use a newer release`,
    );
  }
  if (found.version === newest) return;
  const steps = upgrades.filter(({ to }) => to > found.version);
  if (options.autoUpgrade !== true) {
    const what = steps.map((step) => `${step.to}: ${step.what}`).join("; ");
    throw new WrongStoreError(
      `Store has data model version ${found.version}, this program needs ${newest} (${what}): ` +
        "keep a dump of it (task store dump), then start with --auto-upgrade",
    );
  }
  await requireNobodyElse(store);
  for (const step of steps) {
    options.log?.("Upgrading the region store", { version: step.to, what: step.what });
    const rows = await upgrade(store, step);
    options.log?.("Region store upgraded", { version: step.to, rows });
  }
}

/** What a store says of itself; undefined when it has no version row. */
export async function readVersion(store: Store): Promise<{ version: number; region: string } | undefined> {
  const { entry } = await store.get(VERSION_ROW);
  if (entry === undefined) return undefined;
  const row = read(entry.value);
  const { version, region } = row;
  if (row["format"] !== STORE_FORMAT || !Number.isInteger(version) || typeof region !== "string") {
    throw new WrongStoreError(`Store has an unknown format at ${VERSION_ROW}`);
  }
  return { version: version as number, region };
}

async function requireEmpty(store: Store): Promise<void> {
  const { entries } = await store.scan("", { limit: 1 });
  if (entries.length === 0) return;
  const unfinished = entries[0]!.key.startsWith(STORE_PREFIX) ? ", or a restore was not finished: run it again" : "";
  throw new WrongStoreError(
    `Store holds keys (${entries[0]!.key}) but no ${VERSION_ROW}: it belongs to another program${unfinished}`,
  );
}

/** A controller of the version before would go on writing rows of its form. */
async function requireNobodyElse(store: Store): Promise<void> {
  const { entries } = await store.scan(ControllerKind.storePrefix, { limit: 1 });
  if (entries.length === 0) return;
  const row = entries[0]!.key.slice(ControllerKind.storePrefix.length);
  // Earlier programs named the row by the identity itself.
  const other = row.startsWith("{") ? ControllerKind.parseKey(row).addr : row;
  throw new WrongStoreError(`Store cannot be upgraded while controller ${other} works on it: stop all of them first`);
}

/** Takes all rows through one step, then writes its version. Returns the number of rows that changed. */
async function upgrade(store: Store, step: Upgrade): Promise<number> {
  let changed = 0;
  for (const prefix of step.prefixes) {
    for (let after: string | undefined, more = true; more;) {
      const page = await store.scan(prefix, { limit: UPGRADE_BATCH_ROWS, after });
      changed += await changeRows(store, step, page.entries);
      after = page.entries.at(-1)?.key;
      more = page.more;
    }
  }
  await transaction(store, async (tx) => {
    const entry = await tx.get(VERSION_ROW);
    const row = read(entry?.value ?? encodeRow({}));
    if (Number(row["version"]) < step.to) tx.put(VERSION_ROW, encodeRow({ ...row, version: step.to } as never));
  });
  return changed;
}

async function changeRows(store: Store, step: Upgrade, entries: readonly StoreEntry[]): Promise<number> {
  const { value } = await transaction(store, async (tx) => {
    let count = 0;
    for (const { key } of entries) {
      const entry = await tx.get(key);
      if (entry === undefined) continue;
      const changes = step.change(key, decodeRow(entry.value));
      for (const change of changes) {
        if (change.value === undefined) tx.delete(change.key);
        else tx.put(change.key, encodeRow(change.value));
      }
      count += changes.length === 0 ? 0 : 1;
    }
    return count;
  });
  return value;
}

function read(value: Uint8Array): Record<string, unknown> {
  try {
    const row = decodeRow(value);
    return typeof row === "object" && row !== null ? row as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
