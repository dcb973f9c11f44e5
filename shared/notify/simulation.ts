/**
 * A world of hubs and children without I/O or time, driven by a seed: for tests.
 * @module
 */
import { agree } from "./admission.ts";
import { ChangeList } from "./change_list.ts";
import { ClientSession } from "./client_session.ts";
import { HubCore } from "./hub_core.ts";
import { HubStream } from "./hub_stream.ts";
import { defaultNotifyLimits, type NotifyLimits } from "./limits.ts";
import type { ChildInfo } from "./owned_table.ts";
import type { NotifyClock } from "./ports.ts";
import { ReplicaState } from "./replica.ts";

/** Kinds of the simulation: an object of a later one may refer to one of an earlier one. */
export const KINDS: readonly string[] = ["A", "B", "C"];
/** Kind that children own. */
export const OWNED = "Info";
/** Small bounds, so that frames fill, deletions are forgotten and streams are re-synced all the time. */
export const TIGHT: NotifyLimits = { ...defaultNotifyLimits, frameBytes: 160, tombstones: 3 };
/** Time that a lost child is waited for. */
export const GRACE_MS = 1_000;

/** Random numbers from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A clock that stands until told to go on. */
export class StandingClock implements NotifyClock {
  #now = 0;
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => void (this.#tasks = this.#tasks.filter((each) => each !== entry));
  }

  /** Lets time pass and runs what is due. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#tasks.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }
}

/** What a child is let see, and what it asks for. */
export interface SimFilter {
  readonly scopes?: readonly string[];
  /** Other scopes for some kinds; undefined: all. */
  readonly filters?: Readonly<Record<string, readonly string[] | undefined>>;
  readonly asks?: Readonly<Record<string, readonly string[]>>;
}

/** Whether a child should hold an object of a kind that is for `scopes`. */
function seen(filter: SimFilter, kind: string, scopes: readonly string[] | undefined): boolean {
  const { filters = {} } = filter;
  const allowed = kind in filters ? filters[kind] : filter.scopes;
  return [allowed, filter.asks?.[kind]].every((through) =>
    through === undefined || scopes === undefined || scopes.some((scope) => through.includes(scope))
  );
}

/** A parent and the truth it publishes. */
export class SimHub {
  readonly core: HubCore;
  /** What has been published, by kind and key. */
  readonly truth = new Map<string, Map<string, { value: string; scopes: string[] | undefined }>>();
  /** Every value that an object has ever had. */
  readonly history = new Map<string, Set<string>>();
  /** Since when an object has been there for everyone. */
  readonly born = new Map<string, number>();
  /** What children own, as reported. */
  readonly owned = new Map<string, string>();

  constructor(name: string, clock: NotifyClock, limits: NotifyLimits = TIGHT) {
    this.core = new HubCore({
      service: name,
      region: "r",
      instance: name,
      epoch: `epoch of ${name}`,
      kinds: KINDS,
      clock,
      log: () => {},
      graceMs: GRACE_MS,
      limits,
    });
    for (const kind of KINDS) this.truth.set(kind, new Map());
    this.core.onOwned(OWNED, {
      scopeOf: undefined,
      handler: {
        update: (key, value) => void this.owned.set(key, decode(value)),
        remove: (key) => void this.owned.delete(key),
      },
    });
  }

  /** Streams whose child has gone without a word. */
  readonly halfDead: HubStream[] = [];

  /** Notices which connections are dead, as keep-alive would. */
  learn(): void {
    for (const stream of this.halfDead.splice(0)) this.core.detach(stream);
  }

  publish(kind: string, key: string, value: string | undefined, scopes: string[] | undefined, at: number): void {
    const objects = this.truth.get(kind)!;
    const name = `${kind}/${key}`;
    if (value === undefined) {
      objects.delete(key);
      this.born.delete(name);
    } else {
      objects.set(key, { value, scopes });
      if (scopes !== undefined) this.born.delete(name);
      else if (!this.born.has(name)) this.born.set(name, at);
      this.history.set(name, (this.history.get(name) ?? new Set()).add(value));
    }
    this.core.publish(kind, key, value === undefined ? undefined : encode(value), scopes, "");
  }

  /** What a child should hold of a kind. */
  view(kind: string, filter: SimFilter): Record<string, string> {
    const visible = [...this.truth.get(kind)!].filter(([, { scopes }]) => seen(filter, kind, scopes));
    return Object.fromEntries(visible.map(([key, { value }]) => [key, value] as const).sort());
  }
}

/** A connection: frames under way in both directions. */
interface Link {
  readonly hub: SimHub;
  readonly stream: HubStream;
  readonly session: ClientSession;
  readonly down: Uint8Array[];
  readonly up: Uint8Array[];
  /** Whether a frame has come down that is not applied to its end. */
  applying: boolean;
}

/** A child and its connection, if it has one. */
export class SimChild {
  readonly name: string;
  readonly replicas = new Map(KINDS.map((kind) => [kind, new ReplicaState(kind, (error) => this.faults.push(error))]));
  readonly owned: ChangeList;
  readonly faults: unknown[] = [];
  filter: SimFilter = {};
  #instance: string;
  #link: Link | undefined;
  #streams = 0;

  constructor(name: string, limits: NotifyLimits = TIGHT) {
    this.name = name;
    this.#instance = name;
    this.owned = new ChangeList(OWNED, limits.tombstones);
    this.owned.ready = true;
  }

  /** The parent that it is connected to. */
  get hub(): SimHub | undefined {
    return this.#link?.hub;
  }

  /** Whether it has caught up with its parent and its parent with it. */
  get inStep(): boolean {
    return this.#link?.session.inStep === true && this.#link.stream.child !== undefined;
  }

  connect(hub: SimHub, filter: SimFilter): void {
    this.cut();
    this.filter = filter;
    const stream = new HubStream(hub.core);
    const session = new ClientSession({
      service: "child",
      region: "r",
      cloudlet: "",
      instance: this.#instance,
      replicas: this.replicas,
      filters: new Map(Object.entries(filter.asks ?? {})),
      owned: [this.owned],
      limits: TIGHT,
      onMessage: () => {},
      onProgress: () => {},
    });
    this.#link = { hub, stream, session, down: [], up: [], applying: false };
    this.#streams++;
  }

  /** Loses the connection with all that is under way; the parent may learn of it only later. */
  cut(parentLearns = true): void {
    const link = this.#link;
    if (!link) return;
    this.#link = undefined;
    link.session.end();
    link.hub.halfDead.push(link.stream);
    if (parentLearns) link.hub.learn();
  }

  put(key: string, value: string | undefined): void {
    const published = this.owned.publish(key, value === undefined ? undefined : encode(value), undefined, "");
    if (published) this.#link?.session.touch(OWNED, published.revision);
  }

  /** One step of the connection; false when it had nothing to do. */
  step(choice: number): boolean {
    const link = this.#link;
    if (!link) return false;
    const steps = [
      () => pullInto(link.stream, link.down),
      () => this.#deliverDown(link),
      () => pullInto(link.session, link.up),
      () => this.#deliverUp(link),
    ];
    const first = Math.floor(choice * steps.length);
    for (let i = 0; i < steps.length; i++) if (steps[(first + i) % steps.length]!()) return true;
    return false;
  }

  /** One change of a frame at a time: anything may happen between two of them. */
  #deliverDown(link: Link): boolean {
    const { down, session } = link;
    if (!link.applying) {
      const frame = down.shift();
      if (!frame) return false;
      session.receive(frame);
    }
    link.applying = session.applyNext();
    if (session.ended) this.cut();
    return true;
  }

  #deliverUp({ up, stream, hub }: Link): boolean {
    const frame = up.shift();
    if (!frame) return false;
    if (stream.ended) return true;
    if (stream.child) {
      stream.receive(frame);
      return true;
    }
    const { hello, held } = HubStream.hello(frame);
    const agreement = agree(hello, { ...this.filter, name: this.name }, KINDS, [OWNED]);
    const refused = agreement.refuse !== undefined
      ? agreement
      : hub.core.attach(stream, hello, agreement, held, { identity: undefined, address: "" });
    if (refused) stream.refuse(refused.refuse, refused.retryAfterMs);
    return true;
  }

  /** A new process of the same child, which knows nothing. */
  restarted(): SimChild {
    this.cut();
    const next = new SimChild(this.name);
    next.#instance = `${this.name} after ${this.#streams}`;
    return next;
  }

  /** What it holds of a kind. */
  holds(kind: string): Record<string, string> {
    const objects = [...this.replicas.get(kind)!.entries()].map(([key, value]) => [key, decode(value)] as const);
    return Object.fromEntries(objects.sort());
  }
}

function pullInto(end: { pull(): Uint8Array | undefined }, queue: Uint8Array[]): boolean {
  // A window of two frames: the rest stays with the sender.
  if (queue.length >= 2) return false;
  const frame = end.pull();
  if (frame) queue.push(frame);
  return frame !== undefined;
}

/** Bytes of a text. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of bytes. */
export function decode(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

export type { ChildInfo };
