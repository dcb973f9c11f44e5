// `deno task bench:notify`: the replication tree against bare streams, processes apart, mutual TLS on loopback.
import { createAuthority } from "../../../shared/rpc/conformance/certificates.ts";
import { type Bench, type BenchContext, type BenchResult, runBench } from "../mod.ts";
import { PARENT_V8_FLAGS } from "../../up/v8_flags.ts";
import { BenchProcess } from "./process.ts";

const OBJECTS = 100_000;
const CHILDREN = 1_000;
const CHILD_PROCESSES = 4;
const QUICK_CHILDREN = 200;
const SNAPSHOT_RUNS = 15;
const FAN_OUTS = 15;
const WARM_UPS = 2;
/** Bytes of the frame that carries one change of the fan-out, and of the bare message beside it. */
const CHANGE_BYTES = 240;

interface Streams {
  streams: number;
  frames: number;
  bytes: number;
  snapshots: number;
  resumes: number;
  inStep: number;
}

async function measure(context: BenchContext): Promise<BenchResult[]> {
  const folder = await Deno.makeTempDir({ prefix: "archipelago-bench-" });
  const authority = await createAuthority("bench");
  const { cert, key } = await authority.issue("spiffe://archipelago/region/eu/service/controller");
  for (const [name, text] of Object.entries({ cert, key, ca: authority.ca })) {
    await Deno.writeTextFile(`${folder}/${name}.pem`, text);
  }
  const newParent = () => new BenchProcess("./parent.ts", folder, PARENT_V8_FLAGS);
  const parent = newParent();
  const family = Array.from({ length: CHILD_PROCESSES }, () => new BenchProcess("./children.ts", folder));
  try {
    const port = await parent.ask<number>("port");
    for (const each of family) await each.ask("aim", port);
    const parts = { context, parent, family, port, children: context.quick ? QUICK_CHILDREN : CHILDREN };
    const floor = await measureFloor(parts, newParent());
    const idle = await parent.ask<Memory>("memory");
    const objectBytes = await parent.ask<number>("fill", OBJECTS);
    const filled = await parent.ask<Memory>("memory");
    const snapshot = await measureSnapshot(parts);
    const storm = await measureStorm(parts, snapshot.bytes);
    const full = await parent.ask<Memory>("memory");
    await Promise.all(family.map((each) => each.ask("leave")));
    const fanOut = await measureFanOut(parts);
    return [
      ...snapshot.results,
      ...fanOut,
      ...storm,
      ...memoryResults(objectBytes, { idle, floor, filled, full }, parts.children),
    ];
  } finally {
    await Promise.all([parent, ...family].map((each) => each.end()));
    await Deno.remove(folder, { recursive: true });
  }
}

/** Memory of a process, bytes. */
interface Memory {
  /** What the system has given it. */
  readonly resident: number;
  /** What objects and buffers fill, after a collection; the rest is the runtime's own and room that it keeps. */
  readonly held: number;
}

/** Memory of parents at different times. */
interface Memories {
  /** Without anything. */
  readonly idle: Memory;
  /** Of another parent: with as many connections of mutual TLS that carry nothing. */
  readonly floor: Memory;
  /** With the objects. */
  readonly filled: Memory;
  /** With objects and children, after snapshots and the return of all children. */
  readonly full: Memory;
}

/** Figure 4. */
function memoryResults(objectBytes: number, memories: Memories, children: number): BenchResult[] {
  const { idle, floor, filled, full } = memories;
  const mib = (bytes: number): number => bytes / 2 ** 20;
  const result = (id: string, value: number, unit: string, reach?: number): BenchResult => ({
    id: `notify.memory.${id}`,
    value,
    unit,
    better: "lower",
    ...(reach !== undefined && { reach }),
  });
  return [
    result("objects", mib(objectBytes), "MiB"),
    result("idle", mib(idle.resident), "MiB"),
    result("floor", mib(floor.resident), "MiB"),
    result("resident", mib(full.resident), "MiB"),
    result("per_object", (filled.held - idle.held) / OBJECTS, "B"),
    result("per_child", (full.held - filled.held) / children / 1_024, "KiB"),
    result("per_bare_child", (floor.held - idle.held) / children / 1_024, "KiB"),
    result("held_ratio", (full.held - idle.held) / objectBytes, "ratio"),
    result("held_beyond_floor_ratio", (full.held - floor.held) / objectBytes, "ratio", 3),
    result("floor_ratio", floor.resident / objectBytes, "ratio"),
    result("beyond_floor_ratio", (full.resident - floor.resident) / objectBytes, "ratio"),
    result("ratio", full.resident / objectBytes, "ratio", 3),
  ];
}

/** A parent without objects whose children are connections of mutual TLS alone, which go and come back as the children do. */
async function measureFloor({ context, family, children }: Parts, parent: BenchProcess): Promise<Memory> {
  context.progress(`${children} bare connections`);
  const count = children / family.length;
  try {
    const port = await parent.ask<number>("bareTls");
    const connect = (together: boolean) =>
      Promise.all(family.map((each) => each.ask("holdTls", { count, port, together })));
    await connect(false);
    await Promise.all(family.map((each) => each.ask("leave")));
    while (await parent.ask<number>("bareTlsConnections") > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await connect(true);
    return await parent.ask<Memory>("memory");
  } finally {
    await Promise.all(family.map((each) => each.ask("leave")));
    await parent.end();
  }
}

interface Parts {
  readonly context: BenchContext;
  readonly parent: BenchProcess;
  readonly family: readonly BenchProcess[];
  readonly port: number;
  readonly children: number;
}

/** Figure 1: a full copy of all objects by one child, in turn with the same bytes over a bare stream. */
async function measureSnapshot({ context, family }: Parts): Promise<{ bytes: number; results: BenchResult[] }> {
  context.progress(`snapshot of ${OBJECTS} app instances to one child`);
  const [child] = family as [BenchProcess];
  const times: number[] = [];
  const floors: number[] = [];
  let bytes = 0;
  for (let run = 0; run < (context.quick ? 3 : SNAPSHOT_RUNS); run++) {
    const copy = await child.ask<{ ms: number; frames: number; bytes: number }>("snapshot", OBJECTS);
    bytes = copy.bytes;
    times.push(copy.ms);
    floors.push(
      await child.ask<number>("bare", { messages: copy.frames, bytes: Math.round(copy.bytes / copy.frames) }),
    );
  }
  context.progress(`copies ${times.map(Math.round).join(" ")} ms, bare ${floors.map(Math.round).join(" ")} ms`);
  const ms = median(times);
  const floorMs = median(floors);
  return {
    bytes,
    results: [
      { id: "notify.snapshot.rate", value: OBJECTS / (ms / 1_000), unit: "objects/s", better: "higher" },
      { id: "notify.snapshot.throughput", value: bytes / 2 ** 20 / (ms / 1_000), unit: "MiB/s", better: "higher" },
      { id: "notify.snapshot.bare", value: bytes / 2 ** 20 / (floorMs / 1_000), unit: "MiB/s", better: "higher" },
      { id: "notify.snapshot.ratio", value: floorMs / ms, unit: "ratio", reach: 0.6, better: "higher" },
    ],
  };
}

/** Figure 2: one change to many children, in turn with as many bare writes. */
async function measureFanOut({ context, parent, family, children }: Parts): Promise<BenchResult[]> {
  context.progress(`one change to ${children} children`);
  const share = children / family.length;
  for (const command of ["watch", "watchBare"]) await Promise.all(family.map((each) => each.ask(command, share)));
  const ours: Delays = { medians: [], lasts: [] };
  const bare: Delays = { medians: [], lasts: [] };
  let encoded = 0;
  for (let run = 0; run < WARM_UPS + (context.quick ? 5 : FAN_OUTS); run++) {
    const warm = run >= WARM_UPS;
    await fanOut(family, "clients", warm ? ours : undefined, async () => {
      encoded = Math.max(encoded, await parent.ask<number>("change"));
    });
    while (await parent.ask<number>("waiting") < children) await new Promise((resolve) => setTimeout(resolve, 10));
    await fanOut(family, "bare", warm ? bare : undefined, () => parent.ask("push", CHANGE_BYTES));
  }
  await Promise.all(family.map((each) => each.ask("leave")));
  const ratio = (a: number[], b: number[]): number => median(a) / median(b);
  const { medians, lasts } = ours;
  return [
    { id: "notify.fanout.encoded", value: encoded, unit: "times", reach: 1, better: "lower" },
    { id: "notify.fanout.median", value: median(medians), unit: "ms", better: "lower" },
    { id: "notify.fanout.last", value: median(lasts), unit: "ms", better: "lower" },
    { id: "notify.fanout.bare_median", value: median(bare.medians), unit: "ms", better: "lower" },
    { id: "notify.fanout.bare_last", value: median(bare.lasts), unit: "ms", better: "lower" },
    {
      id: "notify.fanout.median_ratio",
      value: ratio(medians, bare.medians),
      unit: "ratio",
      reach: 1.5,
      better: "lower",
    },
    { id: "notify.fanout.last_ratio", value: ratio(lasts, bare.lasts), unit: "ratio", reach: 1.5, better: "lower" },
  ];
}

/** Of each run the median and the last child's delay, ms. */
interface Delays {
  readonly medians: number[];
  readonly lasts: number[];
}

async function fanOut(
  family: readonly BenchProcess[],
  to: "clients" | "bare",
  into: Delays | undefined,
  send: () => Promise<unknown>,
): Promise<void> {
  await Promise.all(family.map((each) => each.ask("expect", to)));
  await send();
  const delays = (await Promise.all(family.map((each) => each.ask<number[]>("delays")))).flat();
  into?.medians.push(median(delays));
  into?.lasts.push(Math.max(...delays));
}

/** Figure 3: all children lose their connection and come back at once, with nothing missed. */
async function measureStorm(parts: Parts, snapshotBytes: number): Promise<BenchResult[]> {
  const { context, parent, family, port, children } = parts;
  context.progress(`${children} children come back at once`);
  const share = children / family.length;
  const [first] = family as [BenchProcess];
  const held = await first.ask("thin", { count: 1 });
  await first.ask("leave");
  await Promise.all(family.map((each) => each.ask("thin", { count: share, held })));
  await Promise.all(family.map((each) => each.ask("cut")));
  while ((await parent.ask<Streams>("streams")).streams > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await parent.ask("resetPeak");
  const begun = performance.now();
  await Promise.all(family.map((each) => each.ask("storm")));
  const ms = performance.now() - begun;
  const peak = await parent.ask<number>("peak");
  const streams = await parent.ask<Streams>("streams");
  if (streams.streams !== children || streams.snapshots !== 0 || streams.resumes !== children) {
    throw new Error(`Not all have resumed: ${JSON.stringify(streams)}`);
  }
  const wire = await wireBytes(port);
  return [
    { id: "notify.storm.current", value: ms / 1_000, unit: "s", better: "lower" },
    { id: "notify.storm.peak", value: peak / 2 ** 20, unit: "MiB", better: "lower" },
    { id: "notify.storm.frames", value: streams.bytes / children, unit: "B/child", better: "lower" },
    { id: "notify.storm.wire", value: wire / children, unit: "B/child", better: "lower" },
    {
      id: "notify.storm.ratio",
      value: wire / (snapshotBytes * children),
      unit: "ratio",
      reach: 0.01,
      better: "lower",
    },
  ];
}

/** Bytes that the standing connections of a port have carried so far both ways, handshakes included (kernel's count). */
async function wireBytes(port: number): Promise<number> {
  const { stdout } = await new Deno.Command("ss", { args: ["-tinH", "state", "established", `sport = :${port}`] })
    .output();
  const text = new TextDecoder().decode(stdout);
  return [...text.matchAll(/bytes_(?:sent|received):(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

const bench: Bench = {
  name: "notify",
  description:
    "Replication between a parent and its children over mutual TLS on loopback, in processes of their own:\n" +
    "full copies, one change to all, all coming back at once, memory; each beside bare streams of the same RPC stack\n" +
    "(Linux only: memory from /proc, bytes on the wire from `ss`).",
  run: measure,
};

if (import.meta.main) Deno.exit(await runBench(bench, Deno.args));
