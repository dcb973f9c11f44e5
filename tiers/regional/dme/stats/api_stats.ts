import type { Point } from "../../../../shared/metrics/mod.ts";
import type { CallNote } from "../api/mod.ts";
import { BUCKET_NAMES, bucketOf } from "./latency_buckets.ts";
import { CounterRows } from "./rows.ts";

/** This process and the cloudlet in which it runs, as metrics name them. */
export interface DmeName {
  readonly dmeId: string;
  readonly cloudlet: string;
  readonly cloudletOrganization: string;
}

/** Most rows of apps that exist, and of apps that nobody knows: names of the latter come from devices. */
const MAX_ROWS = 100_000;
const MAX_STRANGE_ROWS = 1000;

/** A row that nothing was counted in for so long is given up, in milliseconds; it begins anew at zero. */
const IDLE_MS = 24 * 3_600_000;

const REQUESTS = 0;
const ERRORS = 1;
const BUCKETS = 2;
const CHANGED = BUCKETS + BUCKET_NAMES.length;
const SEEN_MS = CHANGED + 1;
const COLUMNS = SEEN_MS + 1;

interface Row {
  readonly app: string;
  readonly cloudlet: string;
  readonly method: string;
  carrier: string;
  readonly at: number;
  readonly strange: boolean;
}

/**
 * Counts calls by app, cloudlet found and method: how many, how many failed, how long they took. Numbers grow from the
 * start of the process on.
 */
export class ApiStats {
  readonly #rows = new CounterRows(COLUMNS, MAX_ROWS + MAX_STRANGE_ROWS);
  /** By method, app and cloudlet. */
  readonly #index = new Map<string, Map<string, Map<string, Row>>>();
  readonly #isKnown: (app: string) => boolean;
  #known = 0;
  #strange = 0;
  #dropped = 0;

  /** @param isKnown whether an app exists */
  constructor(isKnown: (app: string) => boolean) {
    this.#isKnown = isKnown;
  }

  /** Calls that were not counted because of too many different names. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Counts one call. Allocates nothing when a call like it was counted before. */
  count(method: string, note: CallNote, failed: boolean, durationMs: number, nowMs: number): void {
    if (note.app === "") return;
    const row = this.#index.get(method)?.get(note.app)?.get(note.cloudlet) ?? this.#add(method, note);
    if (row === undefined) return void this.#dropped++;
    const rows = this.#rows;
    row.carrier = note.carrier;
    rows.add(row.at, REQUESTS);
    if (failed) rows.add(row.at, ERRORS);
    rows.add(row.at, BUCKETS + bucketOf(durationMs));
    rows.set(row.at, CHANGED, 1);
    rows.set(row.at, SEEN_MS, nowMs);
  }

  /** The rows that have changed since the last time, as points, each at a time of its own: their tags may be the same. */
  collect(self: DmeName, nowMs: number): Point[] {
    const points: Point[] = [];
    for (const apps of this.#index.values()) {
      for (const cloudlets of apps.values()) {
        for (const row of cloudlets.values()) {
          if (this.#rows.get(row.at, CHANGED) === 1) {
            this.#rows.set(row.at, CHANGED, 0);
            points.push(this.#point(row, self, nowMs + points.length / 1000));
          } else if (nowMs - this.#rows.get(row.at, SEEN_MS) > IDLE_MS) this.#remove(row);
        }
      }
    }
    return points;
  }

  #point(row: Row, self: DmeName, timeMs: number): Point {
    const [apporg = "", app = "", ver = ""] = row.app.split("\n");
    const [, foundCloudlet = ""] = row.cloudlet.split("\n");
    const fields: Record<string, bigint | string> = {
      reqs: BigInt(this.#rows.get(row.at, REQUESTS)),
      errs: BigInt(this.#rows.get(row.at, ERRORS)),
      foundCloudlet,
      foundOperator: row.carrier,
    };
    BUCKET_NAMES.forEach((name, at) => fields[name] = BigInt(this.#rows.get(row.at, BUCKETS + at)));
    const { dmeId, cloudlet, cloudletOrganization: cloudletorg } = self;
    return {
      measurement: "dme-api",
      tags: { apporg, app, ver, cloudletorg, cloudlet, dmeId, method: row.method },
      fields,
      timeMs,
    };
  }

  #add(method: string, { app, cloudlet, carrier }: CallNote): Row | undefined {
    const strange = !this.#isKnown(app);
    if (strange ? this.#strange >= MAX_STRANGE_ROWS : this.#known >= MAX_ROWS) return undefined;
    const at = this.#rows.take();
    if (at === undefined) return undefined;
    const apps = getOrAdd(this.#index, method, () => new Map<string, Map<string, Row>>());
    const cloudlets = getOrAdd(apps, app, () => new Map<string, Row>());
    const row = { app, cloudlet, method, carrier, at, strange };
    cloudlets.set(cloudlet, row);
    if (strange) this.#strange++;
    else this.#known++;
    return row;
  }

  #remove(row: Row): void {
    const apps = this.#index.get(row.method)!;
    const cloudlets = apps.get(row.app)!;
    cloudlets.delete(row.cloudlet);
    if (cloudlets.size === 0) apps.delete(row.app);
    this.#rows.release(row.at);
    if (row.strange) this.#strange--;
    else this.#known--;
  }
}

/** The value of a key, made when there is none. */
export function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
