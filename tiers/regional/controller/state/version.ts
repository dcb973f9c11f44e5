import { type Store, transaction } from "../../../../shared/store/mod.ts";
import { DATA_MODEL_VERSION } from "../limits.ts";
import { decodeRow, encodeRow, VERSION_ROW } from "./rows.ts";

const FORMAT = "archipelago-region";

/** A store that this controller must not work on; the message says why. */
export class WrongStoreError extends Error {
  override readonly name = "WrongStoreError";
}

/**
 * Marks an empty store as this region's, and refuses one of a later version, another region or another program, in
 * which nothing is changed.
 */
export async function claimStore(store: Store, region: string): Promise<void> {
  const ours = { format: FORMAT, version: DATA_MODEL_VERSION, region };
  const found = await store.get(VERSION_ROW);
  if (found.entry === undefined) {
    const { entries } = await store.scan("", { limit: 1 });
    if (entries.length > 0) {
      throw new WrongStoreError(
        `Store holds keys (${entries[0]!.key}) but no ${VERSION_ROW}: it belongs to another program`,
      );
    }
    await transaction(store, async (tx) => {
      if (await tx.get(VERSION_ROW) === undefined) tx.put(VERSION_ROW, encodeRow(ours));
    });
    return await claimStore(store, region);
  }
  const row = read(found.entry.value);
  if (row.format !== FORMAT) throw new WrongStoreError(`Store has an unknown format at ${VERSION_ROW}`);
  if (!(Number(row.version) <= DATA_MODEL_VERSION)) {
    throw new WrongStoreError(
      `Store has data model version ${row.version}, this program knows up to ${DATA_MODEL_VERSION}: use a newer release`,
    );
  }
  if (row.region !== region) {
    throw new WrongStoreError(`Store belongs to region ${row.region}, this controller serves region ${region}`);
  }
}

function read(value: Uint8Array): Record<string, unknown> {
  try {
    const row = decodeRow(value);
    return typeof row === "object" && row !== null ? row as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
