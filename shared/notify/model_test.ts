import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, GRACE_MS, KINDS, randomOf, SimChild, type SimFilter, SimHub, StandingClock } from "./simulation.ts";

/** Seeds of an ordinary run, and of the long one (`NOTIFY_SEEDS=10000`). */
const SEEDS = Number(Deno.env.get("NOTIFY_SEEDS") ?? 400);
const STEPS = 400;
/** Children of everything, of one scope and of several, with other filters for some kinds, and who ask for less. */
const FILTERS: readonly SimFilter[] = [
  {},
  { scopes: ["s1"] },
  { scopes: ["s2"] },
  { scopes: ["s1", "s3"] },
  { scopes: [] },
  { scopes: ["s1"], filters: { A: undefined, C: ["s2", "s3"] } },
  { filters: { B: ["s2"] } },
  { scopes: ["s1", "s2"], asks: { C: ["s2"] } },
  { asks: { B: ["s3"], C: ["s1", "s2"] } },
];

/** What an object says: the key that it refers to in the kind before, and when it was published. */
interface Said {
  readonly refers: string | undefined;
  readonly at: number;
}

class World {
  readonly clock = new StandingClock();
  readonly random: () => number;
  readonly hubs: SimHub[] = [];
  readonly children: SimChild[] = [];
  #time = 0;
  #hubs = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    for (let i = 0; i < 2; i++) this.hubs.push(this.#newHub());
    for (let i = 0; i < 3; i++) this.#watch(this.children[i] = new SimChild(`child${i}`));
  }

  #newHub(): SimHub {
    const hub = new SimHub(`hub${this.#hubs++}`, this.clock);
    for (const kind of KINDS) if (this.random() < 0.8) hub.core.markReady(kind);
    return hub;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  /** Checks every state that a child comes to hold. */
  #watch(child: SimChild): void {
    KINDS.forEach((kind, index) =>
      child.replicas.get(kind)!.subscribe({
        update: (key, value) => {
          const hub = child.hub!;
          const text = decode(value);
          assert.ok(hub.history.get(`${kind}/${key}`)?.has(text), `${kind}/${key} never was ${text}`);
          const { refers, at } = JSON.parse(text) as Said;
          const before = KINDS[index - 1];
          if (refers === undefined || before === undefined) return;
          const born = hub.born.get(`${before}/${refers}`);
          if (born === undefined || born > at) return;
          assert.ok(child.replicas.get(before)!.has(refers), `${kind}/${key} came before ${before}/${refers}`);
        },
      })
    );
  }

  #publish(): void {
    const hub = this.pick(this.hubs);
    const index = Math.floor(this.random() * KINDS.length);
    const kind = KINDS[index]!;
    const key = `k${Math.floor(this.random() * 6)}`;
    const at = ++this.#time;
    if (this.random() < 0.3) return hub.publish(kind, key, undefined, undefined, at);
    const before = KINDS[index - 1];
    const candidates = before === undefined ? [] : [...hub.truth.get(before)!.keys()];
    const said: Said = { refers: candidates.length > 0 ? this.pick(candidates) : undefined, at };
    // Objects that others refer to are for everyone, as flavors are; the last kind is scoped, as instances are.
    const scopes = this.random() < (index === 2 ? 0.3 : 0.8)
      ? undefined
      : ["s1", "s2", "s3"].filter(() => this.random() < 0.4);
    hub.publish(kind, key, JSON.stringify(said), scopes, at);
  }

  /** One random thing. */
  act(): void {
    const dice = this.random();
    const child = this.pick(this.children);
    if (dice < 0.35) this.#publish();
    else if (dice < 0.8) child.step(this.random());
    else if (dice < 0.88) {
      child.put(`${child.name} ${this.pick(["x", "y"])}`, this.random() < 0.3 ? undefined : `${++this.#time}`);
    } else if (dice < 0.92) child.connect(this.pick(this.hubs), this.pick(FILTERS));
    else if (dice < 0.94) child.cut(this.random() < 0.5);
    else if (dice < 0.95) this.clock.advance(this.random() * 2 * GRACE_MS);
    else if (dice < 0.97) this.pick(this.hubs).core.markReady(this.pick(KINDS));
    else if (dice < 0.98) this.#restartHub();
    else if (dice < 0.985) this.#restartChild();
  }

  #restartHub(): void {
    const index = Math.floor(this.random() * this.hubs.length);
    for (const child of this.children) if (child.hub === this.hubs[index]) child.cut();
    this.hubs[index] = this.#newHub();
  }

  #restartChild(): void {
    const index = Math.floor(this.random() * this.children.length);
    this.#watch(this.children[index] = this.children[index]!.restarted());
  }

  /** Lets everything that is under way arrive. */
  settle(): void {
    for (const hub of this.hubs) {
      hub.learn();
      for (const kind of KINDS) hub.core.markReady(kind);
    }
    for (let tries = 0; tries < 20; tries++) {
      for (const child of this.children) if (!child.hub) child.connect(this.pick(this.hubs), child.filter);
      let steps = 0;
      while (this.children.some((child) => child.step(this.random()))) {
        assert.ok(++steps < 100_000, "The world does not come to rest");
      }
      if (this.children.every((child) => child.inStep)) break;
      this.clock.advance(2 * GRACE_MS);
    }
    this.clock.advance(2 * GRACE_MS);
  }

  /** What must hold at rest. */
  check(): void {
    for (const child of this.children) {
      assert.deepEqual(child.faults, []);
      assert.ok(child.inStep, `${child.name} is not in step`);
      for (const kind of KINDS) assert.deepEqual(child.holds(kind), child.hub!.view(kind, child.filter), child.name);
    }
    for (const hub of this.hubs) {
      const owners = this.children.filter((child) => child.hub === hub);
      const owned = owners.flatMap((child) => [...child.owned.entries()].map(([key, value]) => [key, decode(value)]));
      assert.deepEqual(Object.fromEntries([...hub.owned].sort()), Object.fromEntries(owned.sort()));
    }
  }
}

Deno.test("whatever happens, children end with their parent's view and never hold what it never had", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const world = new World(seed);
      for (let round = 0; round < 3; round++) {
        for (let step = 0; step < STEPS; step++) world.act();
        world.settle();
        world.check();
      }
    }),
    { numRuns: SEEDS },
  );
});

Deno.test("a stream that stands costs no more than the objects, however many changes there are", () => {
  const clock = new StandingClock();
  const hub = new SimHub("hub", clock);
  for (const kind of KINDS) hub.core.markReady(kind);
  const child = new SimChild("child");
  child.connect(hub, {});
  while (child.step(0)) { /* until nothing is under way */ }
  const received: string[] = [];
  child.replicas.get("A")!.subscribe({ update: (key, value) => void received.push(`${key}=${decode(value)}`) });
  for (let i = 0; i < 10_000; i++) hub.publish("A", `k${i % 10}`, `${i}`, undefined, i);
  while (child.step(0)) { /* until nothing is under way */ }
  assert.deepEqual(child.holds("A"), hub.view("A", {}));
  assert.equal(received.length, 10);
});
