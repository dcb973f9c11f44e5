import { type DeepPartial, MetricsApi, MetricsRequest } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import type { Reply } from "../http/reply.ts";
import type { AuthCall } from "../http/route.ts";
import { callRegion, regionError } from "../region/call.ts";
import type { Range } from "./range.ts";
import { type SeriesJson, seriesJson } from "./series.ts";

/** What is asked of one measurement of a region. */
export interface Question {
  readonly database: string;
  readonly measurement: string;
  /** Columns, and how the values of a span become one. */
  readonly columns: readonly { readonly field: string; readonly aggregate: string }[];
  /** Tags with the values of interest; empty values and undefined ones do not narrow. */
  readonly filters: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly groupBy: readonly string[];
  readonly range: Range;
  readonly fill?: boolean;
  readonly keep?: (row: Readonly<Record<string, unknown>>) => boolean;
}

/** Longest text of a filter, and what it may not hold: nothing that any database could take for more than a name. */
const UNFIT = /[\p{Cc}"'\\;]/u;
const MAX_CHARACTERS = 256;

/** Asks a region and answers with what it says (mc spec 1.9): one chunk with all series. @throws {ApiError} */
export async function ask(call: AuthCall, region: string, questions: readonly Question[]): Promise<Reply> {
  const channel = await call.core.regions.channel(region);
  const caller = { username: call.session.username, signal: call.signal };
  const series: SeriesJson[] = [];
  try {
    for (const question of questions) {
      const found = callRegion(channel, MetricsApi.methods.queryMetrics, requestOf(question), caller);
      for await (const each of found) {
        const shown = seriesJson(each, question.keep);
        if (shown.values.length > 0) series.push(shown);
      }
    }
  } catch (error) {
    throw regionError(region, error);
  }
  async function* chunk() {
    yield [{ Series: series }];
  }
  return { kind: "stream", items: chunk() };
}

function requestOf(question: Question): MetricsRequest {
  const { range: { fromMs, toMs, limit, windowMs } } = question;
  const filters: DeepPartial<MetricsRequest["filters"][0]>[] = [];
  for (const [name, value] of Object.entries(question.filters)) {
    if (value === undefined || value === "") continue;
    const values = typeof value === "string" ? [value] : [...value];
    const bad = values.find((text) => UNFIT.test(text) || text.length > MAX_CHARACTERS);
    if (bad !== undefined) throw badRequest(`Invalid ${name} passed in`);
    filters.push({ name, values });
  }
  return MetricsRequest.create({
    database: question.database,
    measurement: question.measurement,
    select: question.columns.map(({ field, aggregate }) => windowMs === undefined ? { field } : { field, aggregate }),
    filters,
    groupBy: [...question.groupBy],
    fromMs,
    toMs,
    limit,
    windowMs,
    fillPrevious: question.fill === true && windowMs !== undefined,
  });
}
