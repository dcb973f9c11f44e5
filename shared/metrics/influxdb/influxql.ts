import type { MetricsQuery } from "../query.ts";

/** A statement of InfluxQL with what its parameters stand for: what comes from outside is never part of its text. */
export interface Statement {
  readonly text: string;
  readonly params: Readonly<Record<string, string | number>>;
}

/** A name in a statement. Names were checked before and hold no quotes; they are quoted as some are words of the language. */
export function identifier(name: string): string {
  return `"${name}"`;
}

/** Reads rows oldest first, or newest first when there is a limit. */
export function selectStatement(policy: string | undefined, query: MetricsQuery): Statement {
  const { measurement, select, tags = {}, fromMs, toMs, groupBy, limit, windowMs } = query;
  const params: Record<string, string | number> = {};
  const bind = (value: string) => {
    const name = `p${Object.keys(params).length}`;
    params[name] = value;
    return `$${name}`;
  };
  const columns = select.map(({ field, as, aggregate }) => {
    const source = aggregate === undefined ? identifier(field) : `${aggregate}(${identifier(field)})`;
    return `${source} AS ${identifier(as ?? field)}`;
  });
  const filters = Object.entries(tags).map(([name, values]) => {
    const list = typeof values === "string" ? [values] : values;
    return `(${list.map((value) => `${identifier(name)} = ${bind(value)}`).join(" OR ")})`;
  });
  // Times are numbers that the program made.
  filters.push(`time >= ${nanoseconds(fromMs)}`, `time < ${nanoseconds(toMs)}`);
  const groups = groupBy === undefined ? ["*"] : groupBy.map(identifier);
  if (windowMs !== undefined) groups.unshift(`time(${windowMs}ms)`);
  const from = `${policy === undefined ? "" : `${identifier(policy)}.`}${identifier(measurement)}`;
  const parts = [
    `SELECT ${columns.join(", ")} FROM ${from} WHERE ${filters.join(" AND ")}`,
    ...(groups.length > 0 ? [`GROUP BY ${groups.join(", ")}`] : []),
    ...(windowMs === undefined ? [] : ["fill(none)"]),
    ...(limit === undefined ? [] : [`ORDER BY time DESC LIMIT ${limit}`]),
  ];
  return { text: parts.join(" "), params };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
