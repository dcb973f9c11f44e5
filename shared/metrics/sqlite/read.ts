import type { DatabaseSync } from "node:sqlite";
import type { MetricsQuery, Selected, Series, Value } from "../query.ts";
import { collect, type Collector } from "../windows.ts";

type Fields = Readonly<Record<string, Exclude<Value, null>>>;

/** Series that are read as one, with the tags that they have in common. */
interface Group {
  readonly tags: Record<string, string>;
  readonly ids: number[];
}

/** Reads series by tags and time. */
export function readSeries(database: DatabaseSync, name: string, query: MetricsQuery): Series[] {
  const columns = ["time", ...query.select.map(({ field, as }) => as ?? field)];
  const found: Series[] = [];
  for (const { tags, ids } of groups(database, name, query)) {
    const values = query.windowMs === undefined
      ? rows(database, ids, query, query.select)
      : windows(database, ids, query, query.select, query.windowMs);
    if (values.length > 0) found.push({ measurement: query.measurement, tags, columns, values });
  }
  return found;
}

function groups(database: DatabaseSync, name: string, query: MetricsQuery): Group[] {
  const filters = Object.entries(query.tags ?? {})
    .map(([tag, value]) => [tag, new Set(typeof value === "string" ? [value] : value)] as const);
  const statement = database.prepare(
    "SELECT id, tags FROM series WHERE database = ? AND measurement = ? ORDER BY tags",
  );
  const byTags = new Map<string, Group>();
  for (const row of statement.iterate(name, query.measurement)) {
    const tags = Object.fromEntries(JSON.parse(String(row["tags"])) as [string, string][]);
    if (!filters.every(([tag, values]) => values.has(tags[tag] ?? ""))) continue;
    const kept = query.groupBy === undefined
      ? tags
      : Object.fromEntries(query.groupBy.map((tag) => [tag, tags[tag] ?? ""]));
    const key = JSON.stringify(kept);
    const group = byTags.get(key);
    if (group === undefined) byTags.set(key, { tags: kept, ids: [Number(row["id"])] });
    else group.ids.push(Number(row["id"]));
  }
  return [...byTags.values()];
}

/** Points of some series in the order of time; newest first with `descending`. */
function* points(
  database: DatabaseSync,
  ids: readonly number[],
  { fromMs, toMs }: MetricsQuery,
  descending = false,
): Generator<[timeMs: number, fields: Fields]> {
  // Series in one list, as there may be more of them than a statement has parameters.
  const statement = database.prepare(
    `SELECT time, fields FROM point WHERE series IN (SELECT value FROM json_each(?)) AND time >= ? AND time < ?
     ORDER BY time ${descending ? "DESC" : "ASC"}`,
  );
  const range = [Math.round(fromMs * 1000), Math.round(toMs * 1000)] as const;
  for (const { time, fields } of statement.iterate(JSON.stringify(ids), ...range)) {
    yield [Number(time) / 1000, JSON.parse(String(fields)) as Fields];
  }
}

type Row = [number, ...Value[]];

function rows(database: DatabaseSync, ids: readonly number[], query: MetricsQuery, select: readonly Selected[]): Row[] {
  const found: Row[] = [];
  for (const [timeMs, fields] of points(database, ids, query, query.limit !== undefined)) {
    const row = select.map(({ field }) => fields[field] ?? null);
    if (row.every((value) => value === null)) continue;
    found.push([timeMs, ...row]);
    if (found.length === query.limit) break;
  }
  return query.limit === undefined ? found : found.reverse();
}

function windows(
  database: DatabaseSync,
  ids: readonly number[],
  query: MetricsQuery,
  select: readonly Selected[],
  windowMs: number,
): Row[] {
  const found: Row[] = [];
  let begin = NaN;
  let collectors: Collector[] = [];
  const end = () => {
    const row = collectors.map((collector) => collector.result());
    if (row.some((value) => value !== null)) found.push([begin, ...row]);
  };
  for (const [timeMs, fields] of points(database, ids, query)) {
    const at = Math.floor(timeMs / windowMs) * windowMs;
    if (at !== begin) {
      end();
      begin = at;
      collectors = select.map(({ aggregate }) => collect(aggregate!));
    }
    select.forEach(({ field }, index) => {
      const value = fields[field];
      if (value !== undefined) collectors[index]!.add(value);
    });
  }
  end();
  return query.limit === undefined ? found : found.slice(-query.limit);
}
