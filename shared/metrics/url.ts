import { MetricsError } from "./errors.ts";

/** A metrics store's URL, taken apart. */
export type MetricsUrl = { driver: "sqlite"; path: string } | { driver: "influxdb"; base: string };

/** Reads `sqlite:PATH`, `sqlite::memory:` or `influxdb:http(s)://HOST:PORT`; throws a MetricsError `url`. */
export function parseMetricsUrl(url: string): MetricsUrl {
  if (url.startsWith("sqlite:") && url.length > "sqlite:".length) {
    return { driver: "sqlite", path: url.slice("sqlite:".length) };
  }
  if (url.startsWith("influxdb:")) {
    const text = url.slice("influxdb:".length);
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (parsed?.username || parsed?.password) {
      // Not repeated in the message: it holds a password.
      throw new MetricsError("url", "Metrics URL must not hold a user or password: they belong into the secret store");
    }
    if (parsed && (parsed.protocol === "http:" || parsed.protocol === "https:") && !parsed.search && !parsed.hash) {
      return { driver: "influxdb", base: parsed.href.replace(/\/$/, "") };
    }
  }
  throw new MetricsError(
    "url",
    `Metrics URL must be sqlite:PATH, sqlite::memory: or influxdb:http://HOST:PORT, given ${JSON.stringify(url)}`,
  );
}
