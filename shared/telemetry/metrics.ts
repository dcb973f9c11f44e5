import { labelText, MetricFamily, numberText, type SeriesLabels } from "./metric_family.ts";

/** Values of a metric's labels. */
export type Labels = Readonly<Record<string, string>>;

/** How a metric is declared. */
export interface MetricOptions {
  /** Letters, digits and underscores, with the unit at its end; counters get `_total` by themselves. */
  readonly name: string;
  readonly help: string;
  /** Names of the labels that each value must carry. */
  readonly labels?: readonly string[];
  /** Combinations of label values that are kept; the values of further ones are dropped and counted. @default 1000 */
  readonly maxSeries?: number;
}

/** How a histogram is declared. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, rising. @default 1 ms to 60 s */
  readonly bucketsSeconds?: readonly number[];
}

/** Counts what only grows. */
export interface Counter {
  /** @param by Zero or more. @default 1 */
  add(by?: number, labels?: Labels): void;
  /** What counts for these labels alone: looks them up once, for counts that come often. */
  of(labels: Labels): { add(by?: number): void };
  /** Asks `read` each time the metrics are read, for what is counted elsewhere and only grows; `add` throws from then on. */
  collect(read: () => Observed): void;
}

/** What is found when a metric is read. */
export type Observed = number | readonly (readonly [Labels, number])[];

/** Holds what goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
  add(by: number, labels?: Labels): void;
  /** Asks `read` each time the metrics are read, in place of values set before. */
  collect(read: () => Observed): void;
}

/** Counts durations by size. */
export interface Histogram {
  observe(seconds: number, labels?: Labels): void;
  /** The same for these labels alone: looks them up once. */
  of(labels: Labels): { observe(seconds: number): void };
}

/** All metrics of a process. */
export interface Metrics {
  /** @throws {Error} When the name is taken or malformed, as all three do. */
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  histogram(options: HistogramOptions): Histogram;
  /** OpenMetrics 1.0 text. */
  expose(): string;
}

/** The content type of {@linkcode Metrics.expose}. */
export const OPENMETRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const DEFAULT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Buckets {
  readonly counts: number[];
  sum: number;
}

/** Makes an empty registry. */
export function createMetrics(): Metrics {
  const families = new Map<string, { text(): string; dropped(): number }>();
  const declare = <V>(
    type: string,
    options: MetricOptions,
    fresh: () => V,
    show: (family: MetricFamily<V>) => string,
  ) => {
    const name = type === "counter" ? options.name.replace(/_total$/, "") : options.name;
    if (families.has(name)) throw new Error(`Metric ${name} is declared twice`);
    const family = new MetricFamily<V>({ ...options, name, type }, fresh);
    families.set(name, { text: () => family.header() + show(family), dropped: () => family.dropped });
    return family;
  };
  return {
    counter(options) {
      const { family, change, collect } = values(
        `Counter ${options.name}`,
        "_total",
        (show) => declare("counter", options, () => ({ value: 0 }), show),
      );
      const rise = (series: Value | undefined, by: number) => {
        if (!(by >= 0)) throw new RangeError(`Counter ${options.name} cannot fall, got ${by}`);
        change(series, (old) => old + by);
      };
      return {
        add: (by = 1, labels) => rise(family.series(labels), by),
        of(labels) {
          let series: Value | undefined;
          return { add: (by = 1) => rise(series ??= family.series(labels), by) };
        },
        collect,
      };
    },
    gauge(options) {
      const { family, change, collect } = values(
        `Gauge ${options.name}`,
        "",
        (show) => declare("gauge", options, () => ({ value: 0 }), show),
      );
      return {
        set: (value, labels) => change(family.series(labels), () => value),
        add: (by, labels) => change(family.series(labels), (old) => old + by),
        collect,
      };
    },
    histogram(options) {
      const bounds = options.bucketsSeconds ?? DEFAULT_BUCKETS_SECONDS;
      const fresh = (): Buckets => ({ counts: new Array(bounds.length + 1).fill(0), sum: 0 });
      const family = declare("histogram", options, fresh, (each) => histogramText(each, bounds));
      const count = (series: Buckets | undefined, seconds: number) => {
        if (!series) return;
        let at = 0;
        while (at < bounds.length && !(seconds <= bounds[at]!)) at++;
        series.counts[at]! += 1;
        series.sum += seconds;
      };
      return {
        observe: (seconds, labels) => count(family.series(labels), seconds),
        of(labels) {
          let series: Buckets | undefined;
          return { observe: (seconds) => count(series ??= family.series(labels), seconds) };
        },
      };
    },
    expose: () => [...families.values()].map((family) => family.text()).join("") + droppedText(families) + "# EOF\n",
  };
}

/** Admits values that were not kept, so that a missing series is never mistaken for silence. */
function droppedText(families: ReadonlyMap<string, { dropped(): number }>): string {
  const rows = [...families].filter(([, family]) => family.dropped() > 0);
  const lines = rows.map(([name, family]) => `metrics_dropped_values_total{metric="${name}"} ${family.dropped()}\n`);
  return `# TYPE metrics_dropped_values counter\n# HELP metrics_dropped_values Values beyond a limit of series.\n${
    lines.join("")
  }`;
}

interface Value {
  value: number;
}
type ValueFamily = MetricFamily<Value>;

/** One number for each series, set here or read elsewhere. */
function values(what: string, suffix: string, declare: (show: (family: ValueFamily) => string) => ValueFamily) {
  let read: (() => Observed) | undefined;
  const family = declare((each) => {
    if (read) {
      each.clear();
      const seen = read();
      const rows = typeof seen === "number" ? [[{}, seen] as const] : seen;
      for (const [labels, value] of rows) {
        const series = each.series(labels);
        if (series) series.value = value;
      }
    }
    return each.lines(suffix, ({ value }) => value);
  });
  const change = (series: Value | undefined, to: (old: number) => number) => {
    if (read) throw new Error(`${what} is collected and cannot be set`);
    if (series) series.value = to(series.value);
  };
  return { family, change, collect: (source: () => Observed) => void (read = source) };
}

function histogramText(family: MetricFamily<Buckets>, bounds: readonly number[]): string {
  let text = "";
  family.each((labels: SeriesLabels, { counts, sum }) => {
    let total = 0;
    for (const [at, count] of counts.entries()) {
      total += count;
      const bound = at < bounds.length ? numberText(bounds[at]!) : "+Inf";
      text += `${family.name}_bucket${labelText([...labels, ["le", bound]])} ${total}\n`;
    }
    text += `${family.name}_sum${labelText(labels)} ${numberText(sum)}\n`;
    text += `${family.name}_count${labelText(labels)} ${total}\n`;
  });
  return text;
}
