import type { Labels, MetricOptions } from "./metrics.ts";

/** Label names and values in declared order. */
export type SeriesLabels = readonly (readonly [name: string, value: string])[];

const DEFAULT_MAX_SERIES = 1_000;
const NAME_FORM = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** One metric with its series, at most `maxSeries` of them. */
export class MetricFamily<V> {
  readonly name: string;
  readonly #options: MetricOptions & { readonly type: string };
  readonly #fresh: () => V;
  readonly #series = new Map<string, { labels: SeriesLabels; value: V }>();
  #dropped = 0;

  constructor(options: MetricOptions & { readonly type: string }, fresh: () => V) {
    for (const name of [options.name, ...options.labels ?? []]) {
      if (!NAME_FORM.test(name)) throw new Error(`Metric or label name ${name} must match ${NAME_FORM.source}`);
    }
    this.name = options.name;
    this.#options = options;
    this.#fresh = fresh;
    // A metric without labels is there from the start, at zero.
    if ((options.labels ?? []).length === 0) this.series(undefined);
  }

  /** The series of these labels; undefined when there would be too many. */
  series(labels: Labels | undefined): V | undefined {
    const names = this.#options.labels ?? [];
    let key = "";
    for (let at = 0; at < names.length; at++) {
      if (at > 0) key += "\u0000";
      key += labels?.[names[at]!] ?? "";
    }
    const found = this.#series.get(key);
    if (found) return found.value;
    if (this.#series.size >= (this.#options.maxSeries ?? DEFAULT_MAX_SERIES)) {
      this.#dropped++;
      return undefined;
    }
    const value = this.#fresh();
    this.#series.set(key, { labels: names.map((name) => [name, labels?.[name] ?? ""] as const), value });
    return value;
  }

  clear(): void {
    this.#series.clear();
  }

  each(visit: (labels: SeriesLabels, value: V) => void): void {
    for (const { labels, value } of this.#series.values()) visit(labels, value);
  }

  header(): string {
    const { name, type, help } = this.#options;
    return `# TYPE ${name} ${type}\n# HELP ${name} ${escaped(help)}\n`;
  }

  lines(suffix: string, number: (value: V) => number): string {
    let text = "";
    this.each((labels, value) => text += `${this.name}${suffix}${labelText(labels)} ${numberText(number(value))}\n`);
    return text;
  }

  /** Values that were not kept because there were too many series. */
  get dropped(): number {
    return this.#dropped;
  }
}

/** `{a="1",b="2"}`, or nothing without labels. */
export function labelText(labels: SeriesLabels): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

/** A number as OpenMetrics writes it. */
export function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
