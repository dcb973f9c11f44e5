import {
  type Aggregate,
  fillPrevious,
  MetricsError,
  type MetricsStore,
  type Series,
} from "../../../../shared/metrics/mod.ts";
import { type Handlers, RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { type MetricsApi, type MetricSeries, type MetricsRequest, MetricVal } from "../../../../shared/schema/mod.ts";

/** Handlers of MetricsApi. Without a metrics store all is refused. */
export function metricsApi(store: MetricsStore | undefined): Handlers<typeof MetricsApi> {
  return {
    async *queryMetrics(request) {
      if (store === undefined) {
        throw new RpcError(Status.FAILED_PRECONDITION, "This controller keeps no metrics (--metrics)");
      }
      try {
        yield* (await read(store, request)).map(asMessage);
      } catch (error) {
        throw error instanceof MetricsError ? refusal(error) : error;
      }
    },
  };
}

async function read(store: MetricsStore, request: MetricsRequest): Promise<Series[]> {
  const { database, measurement, select, filters, fromMs, toMs, groupBy, limit, windowMs, merge } = request;
  const series = await store.query(database, {
    measurement,
    select: select.map(({ field, as, aggregate }) => ({
      field,
      as: as || undefined,
      aggregate: aggregate === "" ? undefined : readAggregate(aggregate),
    })),
    tags: Object.fromEntries(filters.map(({ name, values }) => [name, values])),
    fromMs,
    toMs,
    groupBy: merge ? [] : groupBy.length === 0 ? undefined : groupBy,
    limit: limit || undefined,
    windowMs: windowMs || undefined,
  });
  if (!request.fillPrevious || windowMs === 0) return series;
  return series.map((each) => fillPrevious(each, windowMs, toMs));
}

const AGGREGATES: readonly string[] = ["last", "max", "min", "mean", "sum", "count"] satisfies Aggregate[];

function readAggregate(text: string): Aggregate {
  if (AGGREGATES.includes(text)) return text as Aggregate;
  throw new RpcError(Status.INVALID_ARGUMENT, `select.aggregate: must be one of ${AGGREGATES.join(", ")}: "${text}"`);
}

function asMessage({ measurement, tags, columns, values }: Series): MetricSeries {
  return {
    measurement,
    tags: Object.entries(tags).map(([name, val]) => ({ name, val })),
    columns: columns.slice(1),
    rows: values.map(([timeMs, ...row]) => ({
      timeMs,
      vals: row.map((value) =>
        MetricVal.create({
          dval: typeof value === "number" ? value : undefined,
          sval: typeof value === "string" ? value : undefined,
          bval: typeof value === "boolean" ? value : undefined,
        })
      ),
    })),
  };
}

function refusal(error: MetricsError): RpcError {
  const code = error.reason === "invalid"
    ? Status.INVALID_ARGUMENT
    : error.reason === "refused"
    ? Status.INTERNAL
    : Status.UNAVAILABLE;
  return new RpcError(code, error.message, { cause: error });
}
