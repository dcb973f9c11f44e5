// `deno task bench:controller`: creations and shows of a regional controller beside its bare store and a bare stream.
import { type Bench, type BenchContext, type BenchResult, runBench } from "../mod.ts";
import { median } from "../rpc/setting.ts";
import type { CreatedKind } from "./objects.ts";
import {
  type BenchStore,
  createSetting,
  etcdStore,
  type RunningController,
  type Setting,
  sqliteStore,
} from "./setting.ts";

/** Calls, and transactions of the bare driver, that are made at once. */
const IN_FLIGHT = 64;
const KINDS: readonly CreatedKind[] = ["flavor", "app"];
/** What we mean to reach: share of the bare driver's rate, of the bare stream's rate, growth of latency. */
const REACH = { create: 0.5, show: 0.5, growth: 1.5 };
/** Time that a controller gets to settle before its memory is read, ms. */
const SETTLE_MS = 5_000;
const QUICK_SETTLE_MS = 500;

interface Sizes {
  /** App instances of the region, step by step. */
  readonly few: number;
  readonly some: number;
  readonly many: number;
  /** Creations of one run, and those made one after another for their latency. */
  readonly creates: number;
  readonly single: number;
  readonly runs: number;
}

const FULL: Sizes = { few: 10, some: 10_000, many: 100_000, creates: 3_000, single: 500, runs: 3 };
const QUICK: Sizes = { few: 10, some: 1_000, many: 5_000, creates: 500, single: 100, runs: 1 };

async function measure(context: BenchContext): Promise<BenchResult[]> {
  const setting = await createSetting(context);
  const results: BenchResult[] = [];
  try {
    results.push(...await measureOn(setting, sqliteStore(setting)));
    const etcd = await etcdStore(setting);
    if (etcd === undefined) {
      context.progress("etcd is not installed (Debian: etcd-server), so nothing is measured on it");
    } else {
      try {
        results.push(...await measureOn(setting, etcd));
      } finally {
        await etcd.end();
      }
    }
    return results;
  } finally {
    await setting.end();
  }
}

async function measureOn(setting: Setting, store: BenchStore): Promise<BenchResult[]> {
  const { context, load } = setting;
  const sizes = context.quick ? QUICK : FULL;
  const results: BenchResult[] = [];
  const say = (text: string) => context.progress(`${store.name}: ${text}`);
  async function withController(
    from: number,
    to: number,
    work: (controller: RunningController) => Promise<void>,
  ): Promise<void> {
    say(`filling up to ${to} instances`);
    await load.ask("fill", { url: store.url, from, to });
    const controller = await setting.controller(store.url);
    await work(controller);
    await controller.stop();
  }

  // Only a store that a controller has begun is taken for one.
  await (await setting.controller(store.url)).stop();
  const raw = new Map<CreatedKind, number>();
  say(`transactions of the bare driver, ${IN_FLIGHT} at once`);
  for (const kind of KINDS) raw.set(kind, await rawRate(setting, store, kind, sizes));
  const before = new Map<CreatedKind, number>();
  let idle = 0;
  await withController(0, sizes.few, async (controller) => {
    idle = await settled(setting, controller);
    say("creations");
    for (const kind of KINDS) {
      const rate = await createRate(setting, kind, sizes);
      before.set(kind, await latency(setting, kind, sizes));
      results.push(
        { id: `controller.${store.name}.create.${kind}.raw`, value: raw.get(kind)!, unit: "tx/s", better: "higher" },
        { id: `controller.${store.name}.create.${kind}.rate`, value: rate, unit: "creates/s", better: "higher" },
        {
          id: `controller.${store.name}.create.${kind}.ratio`,
          value: rate / raw.get(kind)!,
          unit: "ratio",
          reach: REACH.create,
          better: "higher",
        },
      );
    }
  });
  await withController(sizes.few, sizes.some, async () => {
    results.push(...await shows(setting, store, sizes));
  });
  await withController(sizes.some, sizes.many, async (controller) => {
    const full = await settled(setting, controller);
    const per = 100_000 / (sizes.many - sizes.few);
    results.push(...await shows(setting, store, sizes), {
      id: `controller.${store.name}.memory`,
      value: (full - idle) * per / 2 ** 20,
      unit: "MiB/100000",
      better: "lower",
    });
    say(`creations beside ${sizes.many} instances`);
    for (const kind of KINDS) {
      await createRate(setting, kind, sizes);
      const after = await latency(setting, kind, sizes);
      const id = `controller.${store.name}.latency.${kind}`;
      results.push(
        { id: `${id}.few`, value: before.get(kind)!, unit: "ms", better: "lower" },
        { id: `${id}.many`, value: after, unit: "ms", better: "lower" },
        { id: `${id}.growth`, value: after / before.get(kind)!, unit: "ratio", reach: REACH.growth, better: "lower" },
      );
    }
  });
  return results;
}

interface Timed {
  readonly ms: number;
  readonly each: readonly number[];
}

async function rawRate({ load }: Setting, { url }: BenchStore, kind: CreatedKind, sizes: Sizes): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < sizes.runs; run++) {
    times.push(await load.ask<number>("raw", { url, kind, count: sizes.creates, inFlight: IN_FLIGHT }));
  }
  return sizes.creates / (median(times) / 1_000);
}

/** Creations per second, after a run that warms up. */
async function createRate({ load }: Setting, kind: CreatedKind, sizes: Sizes): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run <= sizes.runs; run++) {
    const { ms } = await load.ask<Timed>("create", { kind, count: sizes.creates, inFlight: IN_FLIGHT });
    if (run > 0) times.push(ms);
  }
  return sizes.creates / (median(times) / 1_000);
}

/** Median time of a creation with no other beside it, ms. */
async function latency({ load }: Setting, kind: CreatedKind, sizes: Sizes): Promise<number> {
  return median((await load.ask<Timed>("create", { kind, count: sizes.single, inFlight: 1 })).each);
}

/** All instances shown, in turn with the same messages over a bare stream. */
async function shows({ context, load, barePort }: Setting, store: BenchStore, sizes: Sizes): Promise<BenchResult[]> {
  const times: number[] = [];
  const floors: number[] = [];
  let objects = 0;
  for (let run = 0; run <= sizes.runs; run++) {
    const shown = await load.ask<{ ms: number; objects: number; bytes: number }>("show");
    objects = shown.objects;
    const bytes = Math.round(shown.bytes / shown.objects);
    const floor = await load.ask<number>("bare", { port: barePort, messages: objects, bytes });
    if (run === 0) continue;
    times.push(shown.ms);
    floors.push(floor);
  }
  context.progress(
    `${store.name}: show of ${objects} ${times.map(Math.round).join(" ")} ms, bare ${
      floors.map(Math.round).join(" ")
    } ms`,
  );
  const [ms, floorMs] = [median(times), median(floors)];
  const id = `controller.${store.name}.show.${objects}`;
  return [
    { id: `${id}.rate`, value: objects / (ms / 1_000), unit: "objects/s", better: "higher" },
    { id: `${id}.bare`, value: objects / (floorMs / 1_000), unit: "objects/s", better: "higher" },
    { id: `${id}.ratio`, value: floorMs / ms, unit: "ratio", reach: REACH.show, better: "higher" },
  ];
}

async function settled({ context }: Setting, controller: RunningController): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, context.quick ? QUICK_SETTLE_MS : SETTLE_MS));
  return controller.residentBytes();
}

const bench: Bench = {
  name: "controller",
  description:
    `A regional controller in a process of its own, on sqlite and, where it is installed, on etcd: creations through gRPC\n` +
    `beside the same transactions by the bare driver (${IN_FLIGHT} at once on both sides), shows beside a bare gRPC stream,\n` +
    "memory, and how creations slow down as the region grows (Linux only: memory is read from /proc).",
  run: measure,
};

if (import.meta.main) Deno.exit(await runBench(bench, Deno.args));
