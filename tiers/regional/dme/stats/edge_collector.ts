import type { Point } from "../../../../shared/metrics/mod.ts";
import type { EdgeDevice, EdgeStats } from "../edge/mod.ts";
import { instanceId, type InstanceKeyShape } from "../matching/mod.ts";
import type { DmeName } from "./api_stats.ts";
import { BUCKET_NAMES, bucketOf } from "./latency_buckets.ts";

/** Most combinations of tags in one period: all but the instance comes from devices. */
const MAX_KEYS = 50_000;

/** Longest text of a device that is kept as a tag, in characters. */
const MAX_TAG_CHARACTERS = 128;

/** What some devices send for a signal strength that they do not know, read as a number. */
const UNKNOWN_SIGNAL = 2 ** 63;

/** Running summary of numbers, by Welford's way. */
interface Summing {
  count: number;
  min: number;
  max: number;
  avg: number;
  squares: number;
}

interface Latency {
  readonly tags: Record<string, string>;
  readonly buckets: number[];
  readonly sum: Summing;
  signalStrength: number;
}

interface Sessions {
  readonly tags: Record<string, string>;
  count: number;
  signalStrength: number;
}

interface Custom {
  readonly tags: Record<string, string>;
  readonly sum: Summing;
  events: number;
}

/** Sums up what devices tell on their event streams over one period (DME specification 6.4). */
export class EdgeCollector implements EdgeStats {
  #latencies = new Map<string, Latency>();
  #sessions = new Map<string, Sessions>();
  #customs = new Map<string, Custom>();
  #dropped = 0;

  /** Events that were not counted because of too many different devices. */
  get dropped(): number {
    return this.#dropped;
  }

  session(device: EdgeDevice): void {
    const key = deviceKey(device);
    let sessions = this.#sessions.get(key);
    if (sessions === undefined) {
      if (this.#full()) return;
      this.#sessions.set(key, sessions = { tags: deviceTags(device), count: 0, signalStrength: 0 });
    }
    sessions.count++;
    sessions.signalStrength = signal(device);
  }

  latency(device: EdgeDevice, samplesMs: readonly number[]): void {
    const key = deviceKey(device);
    let latency = this.#latencies.get(key);
    if (latency === undefined) {
      if (this.#full()) return;
      const buckets = BUCKET_NAMES.map(() => 0);
      this.#latencies.set(key, latency = { tags: deviceTags(device), buckets, sum: nothing(), signalStrength: 0 });
    }
    latency.signalStrength = signal(device);
    for (const ms of samplesMs) {
      // The spans are those of whole milliseconds.
      if (add(latency.sum, ms)) latency.buckets[bucketOf(Math.floor(ms))]!++;
    }
  }

  custom(instance: InstanceKeyShape, name: string, samples: readonly number[]): void {
    const key = `${instanceId(instance)}\n${name}`;
    let custom = this.#customs.get(key);
    if (custom === undefined) {
      if (this.#full()) return;
      const tags = { ...instanceTags(instance), statname: text(name) };
      this.#customs.set(key, custom = { tags, sum: nothing(), events: 0 });
    }
    custom.events++;
    for (const value of samples) add(custom.sum, value);
  }

  /** What came since the last time, as points; counting begins anew. */
  collect(self: DmeName, timeMs: number): Point[] {
    const common = { dmecloudlet: self.cloudlet, dmecloudletorg: self.cloudletOrganization };
    const points: Point[] = [];
    for (const { tags, buckets, sum, signalStrength } of this.#latencies.values()) {
      const spans = Object.fromEntries(BUCKET_NAMES.map((name, at) => [name, BigInt(buckets[at]!)]));
      const fields = { signalstrength: signalStrength, ...summary(sum), ...spans, total: sum.avg * sum.count };
      points.push({ measurement: "latency-metric", tags: { ...common, ...tags }, fields, timeMs });
    }
    for (const { tags, count, signalStrength } of this.#sessions.values()) {
      const fields = { signalstrength: signalStrength, numsessions: BigInt(count) };
      points.push({ measurement: "device-metric", tags: { ...common, ...tags }, fields, timeMs });
    }
    for (const { tags, sum, events } of this.#customs.values()) {
      const fields = { count: BigInt(events), ...summary(sum) };
      points.push({ measurement: "custom-metric", tags: { ...common, ...tags }, fields, timeMs });
    }
    this.#latencies = new Map();
    this.#sessions = new Map();
    this.#customs = new Map();
    return points;
  }

  #full(): boolean {
    const full = this.#latencies.size + this.#sessions.size + this.#customs.size >= MAX_KEYS;
    if (full) this.#dropped++;
    return full;
  }
}

function nothing(): Summing {
  return { count: 0, min: 0, max: 0, avg: 0, squares: 0 };
}

/** Takes a number in; false for a negative one, which is a failed measurement. */
function add(sum: Summing, value: number): boolean {
  if (!(value >= 0) || value === Infinity) return false;
  sum.count++;
  sum.min = sum.count === 1 ? value : Math.min(sum.min, value);
  sum.max = sum.count === 1 ? value : Math.max(sum.max, value);
  const before = value - sum.avg;
  sum.avg += before / sum.count;
  sum.squares += before * (value - sum.avg);
  return true;
}

function summary({ count, min, max, avg, squares }: Summing) {
  const variance = count > 1 ? squares / (count - 1) : 0;
  return { avg, variance, stddev: Math.sqrt(variance), min, max, numsamples: BigInt(count) };
}

function signal({ signalStrength }: EdgeDevice): number {
  return Number.isFinite(signalStrength) && signalStrength < UNKNOWN_SIGNAL ? signalStrength : 0;
}

function deviceKey(device: EdgeDevice): string {
  const { instance, locationTile, carrier, dataNetworkType, deviceOs, deviceModel } = device;
  return [instanceId(instance), locationTile, carrier, dataNetworkType, deviceOs, deviceModel].join("\n");
}

function deviceTags(device: EdgeDevice): Record<string, string> {
  return {
    ...instanceTags(device.instance),
    locationtile: device.locationTile,
    devicecarrier: text(device.carrier),
    datanetworktype: text(device.dataNetworkType),
    deviceos: text(device.deviceOs),
    devicemodel: text(device.deviceModel),
  };
}

function instanceTags({ appKey, clusterInstKey }: InstanceKeyShape): Record<string, string> {
  const { clusterKey, cloudletKey, organization } = clusterInstKey;
  return {
    app: appKey.name,
    apporg: appKey.organization,
    ver: appKey.version,
    cloudlet: cloudletKey.name,
    cloudletorg: cloudletKey.organization,
    cluster: clusterKey.name,
    clusterorg: organization,
  };
}

/** A device's own word as a tag: without control characters, of bounded length, and nothing that escapes. */
function text(word: string): string {
  // deno-lint-ignore no-control-regex -- these are what must go
  return word.slice(0, MAX_TAG_CHARACTERS).replace(/[\u0000-\u001f\u007f\\]/g, "_");
}
