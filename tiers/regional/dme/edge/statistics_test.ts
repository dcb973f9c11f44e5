import assert from "node:assert/strict";
import fc from "fast-check";
import { locationTile } from "./location_tile.ts";
import { summarize } from "./statistics.ts";

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-7 * Math.max(1, Math.abs(expected)), `${actual} for ${expected}`);
}

Deno.test("samples are summarized without negative ones, golden cases 35 and 36", () => {
  const cases: [number[], number, number, number, number, number, number][] = [
    [[3.1, 0, 2.3, 4.5, -4.5, 1.2, 13.4], 6, 0, 13.4, 4.0833333, 23.2216667, 4.8188865],
    [[1.12, 2.354, 3.85, 4.23, 5.33], 5, 1.12, 5.33, 3.3768, 2.7265312, 1.6512211],
  ];
  for (const [samples, count, min, max, avg, variance, stdDev] of cases) {
    const summary = summarize(samples);
    assert.deepEqual([summary.count, summary.min, summary.max], [count, min, max]);
    near(summary.avg, avg);
    near(summary.variance, variance);
    near(summary.stdDev, stdDev);
  }
});

Deno.test("no number, one number, and what is no number", () => {
  const none = { count: 0, min: 0, max: 0, avg: 0, variance: 0, stdDev: 0 };
  for (const samples of [[], [-1, -1], [NaN, Infinity]]) assert.deepEqual(summarize(samples), none);
  assert.deepEqual(summarize([7]), { ...none, count: 1, min: 7, max: 7, avg: 7 });
});

Deno.test("a mean lies between the ends and a variance is never negative", () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 1e9 }), { minLength: 1 }), (samples) => {
    const { min, max, avg, variance } = summarize(samples);
    const slack = 1e-6 * max;
    assert.ok(avg >= min - slack && avg <= max + slack && variance >= 0);
  }));
});

Deno.test("tiles of places, golden cases 37 to 40", () => {
  const berlin = { latitude: 52.52, longitude: 13.405 };
  assert.equal(locationTile(berlin, 1), "13.402803,52.518766_13.411786,52.527810_1");
  assert.equal(locationTile(berlin, 2), "13.402803,52.509722_13.420769,52.527810_2");
  assert.equal(locationTile(berlin, 5), "13.384837,52.500678_13.429752,52.545899_5");
  const sanJose = { latitude: 37.3382, longitude: -121.8863 };
  assert.equal(locationTile(sanJose, 2), "-121.882860,37.333816_-121.900826,37.351904_2");
  assert.equal(
    locationTile({ latitude: -0.001, longitude: -0.001 }, 2),
    "-0.000000,-0.000000_-0.017966,-0.018088_2",
  );
  assert.equal(locationTile({ latitude: NaN, longitude: 0 }, 2), "");
  assert.equal(locationTile({ latitude: 91, longitude: 0 }, 2), "");
});
