import { createHash } from "node:crypto";
import type { JsonValue } from "../../../../shared/schema/mod.ts";
import { type Store, transaction } from "../../../../shared/store/mod.ts";
import { decodeRow, encodeRow, STORE_PREFIX, VERSION_ROW } from "./rows.ts";
import { modelVersion, readVersion, STORE_FORMAT, WrongStoreError } from "./version.ts";
import { UPGRADES } from "./upgrades.ts";

/** What the first line of a dump says first. */
export const DUMP_FORMAT = "archipelago-region-dump";

/** Row of a store into which a dump is being restored. */
const RESTORE_ROW = `${STORE_PREFIX}Restore`;

/** Rows read at a time, and written in one transaction. */
const DUMP_PAGE_ROWS = 500;
const RESTORE_BATCH_ROWS = 50;

/** First line of a dump. */
interface DumpHeader {
  format: string;
  version: number;
  region: string;
  /** Revision of the store at which all rows were read. */
  revision: number;
}

/**
 * The lines of a dump: a header, every row that is not under a lease, and a last line with their number and the SHA-256 of
 * all lines before it. All rows are of one revision. Throws WrongStoreError when the store is no region's.
 */
export async function* dumpLines(store: Store): AsyncGenerator<string> {
  const found = await readVersion(store);
  if (found === undefined) throw new WrongStoreError("Store is empty or belongs to another program: nothing to dump");
  const hash = createHash("sha256");
  const line = (value: JsonValue) => {
    const text = JSON.stringify(value);
    hash.update(text + "\n");
    return text;
  };
  let page = await store.scan(STORE_PREFIX, { limit: DUMP_PAGE_ROWS });
  const { revision } = page;
  yield line({ format: DUMP_FORMAT, version: found.version, region: found.region, revision });
  let rows = 0;
  for (;;) {
    for (const { key, value, lease } of page.entries) {
      // What a living controller holds means nothing without it.
      if (lease !== undefined) continue;
      rows++;
      yield line({ key, value: decodeRow(value) });
    }
    if (!page.more) break;
    page = await store.scan(STORE_PREFIX, { limit: DUMP_PAGE_ROWS, revision, after: page.entries.at(-1)!.key });
  }
  yield JSON.stringify({ rows, sha256: hash.digest("hex") });
}

/** What a dump holds. */
export interface DumpSummary {
  readonly version: number;
  readonly region: string;
  readonly rows: number;
  readonly sha256: string;
}

/** Reads a dump to its end. Throws a DumpError naming the line when it is damaged, cut or of a later version. */
export async function checkDump(lines: AsyncIterable<string>): Promise<DumpSummary> {
  const hash = createHash("sha256");
  let header: DumpHeader | undefined;
  let rows = 0;
  let number = 0;
  let end: { rows?: unknown; sha256?: unknown } | undefined;
  for await (const text of lines) {
    number++;
    if (end !== undefined) throw new DumpError(number, "nothing may come after the last line");
    const value = parseLine(text, number);
    if (header === undefined) {
      header = readHeader(value);
      hash.update(text + "\n");
    } else if ("sha256" in value) {
      end = value;
      if (value["rows"] !== rows) throw new DumpError(number, `${value["rows"]} rows expected, there are ${rows}`);
      const sum = hash.digest("hex");
      if (value["sha256"] !== sum) throw new DumpError(number, "the checksum is another: the file is damaged");
    } else {
      const { key } = value;
      if (typeof key !== "string" || !key.startsWith(STORE_PREFIX) || !("value" in value)) {
        throw new DumpError(number, `expected a row with a key under ${STORE_PREFIX} and a value`);
      }
      rows++;
      hash.update(text + "\n");
    }
  }
  if (header === undefined || end === undefined) throw new DumpError(number, "the dump is cut off");
  return { version: header.version, region: header.region, rows, sha256: String(end.sha256) };
}

/** A dump that cannot be restored. */
export class DumpError extends Error {
  override readonly name = "DumpError";

  constructor(line: number, rule: string) {
    super(`Dump, line ${line}: ${rule}`);
  }
}

/**
 * Writes a dump into an empty store, which no controller takes before the last row is there. After a crash the same dump
 * can be restored again. Throws DumpError, with nothing written, for a bad dump; WrongStoreError when the store holds
 * something else.
 *
 * @param read gives the lines anew each time: a dump is read once to check it and once to write it
 * @param progress told how many rows are written
 */
export async function restoreDump(
  store: Store,
  read: () => AsyncIterable<string>,
  progress: (rows: number) => void = () => {},
): Promise<DumpSummary> {
  const summary = await checkDump(read());
  await begin(store, summary.sha256);
  let batch: { key: string; value: JsonValue }[] = [];
  let version: JsonValue | undefined;
  let written = 0;
  const flush = async () => {
    const rows = batch;
    batch = [];
    await transaction(store, (tx) => rows.forEach(({ key, value }) => tx.put(key, encodeRow(value))));
    progress(written += rows.length);
  };
  for await (const text of read()) {
    const row = JSON.parse(text);
    if (row.key === VERSION_ROW) version = row.value;
    else if (row.key !== undefined) batch.push(row);
    if (batch.length === RESTORE_BATCH_ROWS) await flush();
  }
  await flush();
  await transaction(store, (tx) => {
    tx.delete(RESTORE_ROW);
    const row = version ?? { format: STORE_FORMAT, version: summary.version, region: summary.region };
    tx.put(VERSION_ROW, encodeRow(row));
  });
  return summary;
}

async function begin(store: Store, sha256: string): Promise<void> {
  const { entry } = await store.get(RESTORE_ROW);
  const same = entry !== undefined && (decodeRow(entry.value) as { sha256?: string }).sha256 === sha256;
  if (!same) {
    const { entries } = await store.scan("", { limit: 1 });
    if (entries.length > 0) {
      throw new WrongStoreError(`Store is not empty (${entries[0]!.key}): a dump is restored into an empty one only`);
    }
  }
  await transaction(store, (tx) => tx.put(RESTORE_ROW, encodeRow({ sha256 })));
}

function parseLine(text: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new DumpError(number, "expected a JSON object");
}

function readHeader(value: Record<string, unknown>): DumpHeader {
  const { format, version, region } = value;
  if (format !== DUMP_FORMAT || !Number.isInteger(version) || typeof region !== "string") {
    throw new DumpError(1, `expected the header of a dump with format ${DUMP_FORMAT}`);
  }
  const newest = modelVersion(UPGRADES);
  if (Number(version) > newest) {
    throw new DumpError(1, `the dump has data model version ${version}, this program knows up to ${newest}`);
  }
  return value as unknown as DumpHeader;
}
