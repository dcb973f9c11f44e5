import assert from "node:assert/strict";
import fc from "fast-check";
import { RpcError } from "../rpc/mod.ts";
import { type Entry, NotifyFrame } from "../schema/mod.ts";
import { Backoff } from "./backoff.ts";
import { ChangeList } from "./change_list.ts";
import { ClientSession } from "./client_session.ts";
import { decodeFrame, encodeControl, encodeEntry, EntryAction, FrameBuilder } from "./frame.ts";
import { HubStream } from "./hub_stream.ts";
import { defaultNotifyLimits } from "./limits.ts";
import { MessageLane } from "./message_lane.ts";
import { OwnedTable } from "./owned_table.ts";
import { ReplicaState } from "./replica.ts";
import { Sender } from "./sender.ts";
import { encode, GRACE_MS, KINDS, SimChild, SimHub, StandingClock } from "./simulation.ts";

function flush(child: SimChild): void {
  while (child.step(0)) { /* until nothing is under way */ }
}

Deno.test("an entry encoded once is what the schema would encode", () => {
  fc.assert(fc.property(
    fc.record({
      kind: fc.string(),
      key: fc.string(),
      value: fc.uint8Array({ maxLength: 300 }),
      revision: fc.nat(),
      traceparent: fc.string(),
    }),
    fc.nat({ max: 3 }),
    (entry, more) => {
      const encoded = encodeEntry(entry);
      const frame = new FrameBuilder(1_000_000);
      for (let i = 0; i <= more; i++) frame.add(encoded);
      const { batch } = decodeFrame(frame.finish((bytes) => new Uint8Array(bytes)));
      assert.equal(batch!.entries.length, more + 1);
      for (const read of batch!.entries) {
        assert.deepEqual({ ...read }, { ...entry, action: EntryAction.UPDATE, epoch: "", correlation: "" });
      }
    },
  ));
});

/** What both decoders make of bytes: entries, or a refusal. */
function outcome(decode: () => { batch: { entries: readonly Entry[] } | undefined }): unknown {
  try {
    return decode().batch?.entries.map((entry) => ({ ...entry, value: [...entry.value] }));
  } catch {
    return "refused";
  }
}

Deno.test("frames are read as the schema reads them, sound or not", () => {
  const entries = fc.array(
    fc.record({
      action: fc.constantFrom(...Object.values(EntryAction)),
      kind: fc.constantFrom("A", "AppInst", "Äpp"),
      key: fc.string({ unit: "binary" }),
      value: fc.uint8Array({ maxLength: 300 }),
      revision: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      epoch: fc.string(),
      traceparent: fc.string(),
      correlation: fc.string(),
    }),
    { maxLength: 5 },
  );
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(entries, damage, fc.nat(), (list, changes, cut) => {
      const bytes = NotifyFrame.encode(NotifyFrame.create({ batch: { entries: list } }));
      assert.deepEqual(outcome(() => decodeFrame(bytes)), outcome(() => NotifyFrame.decode(bytes)));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const damaged = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
      assert.deepEqual(outcome(() => decodeFrame(damaged)), outcome(() => NotifyFrame.decode(damaged)));
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("garbage never does more than end the stream", () => {
  const hub = new SimHub("hub", new StandingClock());
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (garbage, greeted) => {
    const session = new ClientSession({
      service: "child",
      region: "r",
      cloudlet: "",
      instance: "i",
      replicas: new Map(KINDS.map((kind) => [kind, new ReplicaState(kind, () => assert.fail())])),
      filters: new Map(),
      owned: [],
      limits: defaultNotifyLimits,
      onMessage: () => {},
      onProgress: () => {},
    });
    if (greeted) session.receive(encodeControl({ hello: { version: 1, service: "p", instance: "p" } }));
    const apply = () => {
      session.receive(garbage);
      while (session.applyNext()) { /* to the end of the frame */ }
    };
    for (const take of [apply, () => HubStream.hello(garbage), () => onStream(hub, garbage)]) {
      try {
        take();
      } catch (error) {
        assert.ok(error instanceof RpcError, String(error));
      }
    }
  }));
});

function onStream(hub: SimHub, frame: Uint8Array): void {
  const child = new SimChild("child");
  child.connect(hub, {});
  flush(child);
  const [stream] = hub.core.streams();
  try {
    stream!.receive(frame);
  } finally {
    child.cut();
  }
}

Deno.test("frames out of place are refused", () => {
  const hub = new SimHub("hub", new StandingClock());
  const hello = encodeControl({ hello: { version: 1, service: "s", instance: "i" } });
  const batch = (entry: Parameters<typeof encodeEntry>[0]): Uint8Array => {
    const frame = new FrameBuilder(1_000);
    frame.add(encodeEntry(entry));
    return frame.finish((bytes) => new Uint8Array(bytes));
  };
  assert.throws(() => HubStream.hello(batch({ kind: "A" })), /must be a hello/);
  assert.throws(() => HubStream.hello(encodeControl({ hello: { version: 1, instance: "i" } })), /no service/);
  assert.throws(() => onStream(hub, hello), /only batches/);
  assert.throws(() => onStream(hub, batch({ kind: "A", key: "k" })), /"A" was not agreed on/);
  assert.throws(() => onStream(hub, batch({ kind: "Info", key: "k".repeat(5_000) })), /longer than/);
});

Deno.test("a scoped child learns nothing of other scopes, not even what is deleted there", () => {
  const hub = new SimHub("hub", new StandingClock());
  for (const kind of KINDS) hub.core.markReady(kind);
  const child = new SimChild("child");
  child.connect(hub, { scopes: ["mine"] });
  flush(child);
  const [stream] = hub.core.streams();
  const before = stream!.sender!.sent.entries;
  hub.publish("C", "secret", "1", ["other"], 1);
  hub.publish("C", "secret", "2", ["other", "third"], 2);
  hub.publish("C", "secret", undefined, undefined, 3);
  flush(child);
  assert.equal(stream!.sender!.sent.entries, before);
  child.connect(hub, { scopes: ["mine"] });
  flush(child);
  const [again] = hub.core.streams();
  const kindsAlone = KINDS.length;
  assert.equal(again!.sender!.sent.entries, kindsAlone);
});

Deno.test("the grace period counts from the last disconnect", () => {
  const clock = new StandingClock();
  const hub = new SimHub("hub", clock);
  for (const kind of KINDS) hub.core.markReady(kind);
  const child = new SimChild("child");
  child.put("x", "1");
  child.connect(hub, {});
  flush(child);
  assert.equal(hub.owned.get("x"), "1");
  child.cut();
  clock.advance(GRACE_MS * 0.7);
  child.connect(hub, {});
  flush(child);
  child.cut();
  clock.advance(GRACE_MS * 0.7);
  assert.equal(hub.owned.get("x"), "1");
  clock.advance(GRACE_MS * 0.7);
  assert.equal(hub.owned.has("x"), false);
});

Deno.test("of two children that own the same key the later one holds it", () => {
  const events: string[] = [];
  const table = new OwnedTable(
    new StandingClock(),
    GRACE_MS,
    2,
    () => ({
      update: (key, _value, child) => void events.push(`${key} of ${child.name}`),
      remove: (key, child, reason) => void events.push(`${key} of ${child.name} ${reason}`),
    }),
    () => {},
  );
  const childOf = (id: number, name: string) => ({
    id,
    name,
    service: "s",
    region: "r",
    cloudlet: "",
    instance: name,
    identity: undefined,
    address: "",
  });
  const [a, b] = [childOf(1, "a"), childOf(2, "b")];
  table.attach(a, ["Info"]);
  table.attach(b, ["Info"]);
  table.update(a, "Info", "k", encode("1"), "");
  table.update(b, "Info", "k", encode("1"), "");
  table.remove(a, "Info", "k");
  table.remove(b, "Info", "k");
  assert.deepEqual(events, ["k of a", "k of b", "k of b deleted"]);
  assert.deepEqual(["x", "y", "z"].map((key) => table.update(a, "Info", key, encode("1"), "")), [true, true, false]);
});

Deno.test("what is held counts as out of step while disconnected", () => {
  const hub = new SimHub("hub", new StandingClock());
  for (const kind of KINDS) hub.core.markReady(kind);
  hub.publish("A", "k", "1", undefined, 1);
  const child = new SimChild("child");
  child.connect(hub, {});
  flush(child);
  assert.equal(child.replicas.get("A")!.inStep, true);
  child.cut();
  assert.deepEqual([child.replicas.get("A")!.inStep, child.holds("A")], [false, { k: "1" }]);
});

Deno.test("messages are bounded, counted when dropped, and travel beside a backlog", () => {
  const lane = new MessageLane(2, 10);
  const four = { slab: new Uint8Array(4), at: 0, length: 4 };
  assert.deepEqual([lane.push(four), lane.push(four), lane.push(four), lane.dropped], [true, true, false, 1]);
  lane.clear();
  assert.deepEqual([lane.length, lane.bytes, lane.dropped], [0, 0, 3]);

  const list = new ChangeList("A", 10);
  list.ready = true;
  for (let i = 0; i < 100; i++) list.publish(`k${i}`, new Uint8Array(100), undefined, "");
  const sender = new Sender([{ list, epoch: "e", filter: undefined }], new Map(), {
    ...defaultNotifyLimits,
    frameBytes: 1_000,
  });
  sender.lane.push(encodeEntry({ action: EntryAction.MESSAGE, kind: "M" }));
  const { batch } = decodeFrame(sender.pull()!);
  assert.equal(batch!.entries.filter(({ action }) => action === EntryAction.MESSAGE).length, 1);
  assert.ok(batch!.entries.length > 5);
});

Deno.test("deletions beyond the bound cut the reach of resuming, and the list stays small", () => {
  const list = new ChangeList("A", 10);
  for (let i = 0; i < 1_000; i++) {
    list.publish(`k${i}`, encode("1"), undefined, "");
    list.publish(`k${i}`, undefined, undefined, "");
  }
  assert.ok(list.horizon > 1_900 && list.horizon < list.revision);
  let places = 0;
  list.scan(0, () => ++places > 0);
  assert.ok(places <= 10);
  assert.equal(list.size, 0);
});

Deno.test("back-off doubles to its bound with full jitter and starts again after a healthy connection", () => {
  const highest = new Backoff({ initialMs: 100, maxMs: 1_000 }, () => 0.999999);
  assert.deepEqual([0, 0, 0, 0, 0, 0].map((up) => highest.next(up)), [99, 199, 399, 799, 999, 999]);
  assert.equal(highest.next(60_000), 99);
  assert.equal(new Backoff({}, () => 0).next(0), 0);
});

Deno.test("objects lie in few arrays, which do not grow with the number of changes", () => {
  const list = new ChangeList("A", 10);
  const latest = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = `k${(i * 7) % 50 + (i % 3 === 0 ? 50 : 0)}`;
    if (i % 11 === 0) {
      list.publish(key, undefined, undefined, "");
      latest.delete(key);
    } else {
      const value = new Uint8Array(100 + i % 400);
      new DataView(value.buffer).setUint32(0, i);
      list.publish(key, value, undefined, "");
      latest.set(key, i);
    }
  }
  const held = new Set<ArrayBufferLike>();
  let live = 0;
  for (const [key, value] of list.entries()) {
    assert.equal(new DataView(value.buffer, value.byteOffset).getUint32(0), latest.get(key));
    assert.equal(value.length, 100 + latest.get(key)! % 400);
    held.add(value.buffer);
    live += value.length;
  }
  assert.equal(list.size, latest.size);
  const bytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(bytes < 3 * live + 2 * 64 * 1024, `${bytes} bytes are held for ${live}`);
});
