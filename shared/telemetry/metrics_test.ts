import assert from "node:assert/strict";
import { createMetrics } from "./mod.ts";

Deno.test("expose writes counters, gauges and histograms as OpenMetrics", () => {
  const metrics = createMetrics();
  const calls = metrics.counter({ name: "calls_total", help: "Calls.", labels: ["method"] });
  calls.add(2, { method: 'a"b\\c\nd' });
  calls.add(1, { method: 'a"b\\c\nd' });
  const open = metrics.gauge({ name: "open_streams", help: "Streams." });
  open.set(3);
  open.add(-1);
  metrics.gauge({ name: "lag", help: "Lag.", labels: ["kind"] }).collect(() => [[{ kind: "App" }, 1.5]]);
  metrics.counter({ name: "sent_bytes", help: "Octets.", labels: ["to"] }).collect(() => [[{ to: "crm" }, 7]]);
  const took = metrics.histogram({ name: "took_seconds", help: "Time.", bucketsSeconds: [0.1, 1] });
  for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe(seconds);
  assert.equal(
    metrics.expose(),
    String.raw`# TYPE calls counter
# HELP calls Calls.
calls_total{method="a\"b\\c\nd"} 3
# TYPE open_streams gauge
# HELP open_streams Streams.
open_streams 2
# TYPE lag gauge
# HELP lag Lag.
lag{kind="App"} 1.5
# TYPE sent_bytes counter
# HELP sent_bytes Octets.
sent_bytes_total{to="crm"} 7
# TYPE took_seconds histogram
# HELP took_seconds Time.
took_seconds_bucket{le="0.1"} 2
took_seconds_bucket{le="1"} 3
took_seconds_bucket{le="+Inf"} 4
took_seconds_sum 7.65
took_seconds_count 4
# TYPE metrics_dropped_values counter
# HELP metrics_dropped_values Values beyond a limit of series.
# EOF
`,
  );
});

Deno.test("a metric keeps a bounded number of series and says what it dropped", () => {
  const metrics = createMetrics();
  const calls = metrics.counter({ name: "calls", help: "Calls.", labels: ["peer"], maxSeries: 2 });
  for (let peer = 0; peer < 5; peer++) calls.add(1, { peer: `${peer}` });
  const text = metrics.expose();
  assert.equal(text.match(/^calls_total\{/gm)?.length, 2);
  assert.match(text, /^metrics_dropped_values_total\{metric="calls"\} 3$/m);
});

Deno.test("what is bound to labels counts where the labels do", () => {
  const metrics = createMetrics();
  const calls = metrics.counter({ name: "calls", help: "Calls.", labels: ["peer"], maxSeries: 1 });
  const took = metrics.histogram({ name: "took", help: "Time.", labels: ["peer"], bucketsSeconds: [1, 2] });
  const [first, second] = ["a", "b"].map((peer) => ({ calls: calls.of({ peer }), took: took.of({ peer }) }));
  first!.calls.add();
  calls.add(2, { peer: "a" });
  first!.calls.add(4);
  second!.calls.add();
  second!.calls.add();
  for (const seconds of [1, 1.5, NaN]) first!.took.observe(seconds);
  took.observe(2, { peer: "a" });
  const text = metrics.expose();
  assert.match(text, /^calls_total\{peer="a"\} 7$/m);
  assert.match(text, /^metrics_dropped_values_total\{metric="calls"\} 2$/m);
  assert.match(text, /^took_bucket\{peer="a",le="1"\} 1\ntook_bucket\{peer="a",le="2"\} 3\n.*\} 4$/m);
  assert.throws(() => first!.calls.add(-1), RangeError);
});

Deno.test("a metric refuses a bad name, a second declaration and a falling counter", () => {
  const metrics = createMetrics();
  assert.throws(() => metrics.gauge({ name: "a-b", help: "" }), /a-b/);
  const counter = metrics.counter({ name: "x_total", help: "" });
  assert.throws(() => metrics.counter({ name: "x", help: "" }), /declared twice/);
  assert.throws(() => counter.add(-1), RangeError);
  counter.collect(() => 1);
  assert.throws(() => counter.add(1), /x_total is collected/);
});
