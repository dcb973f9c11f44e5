import { isJsonObject, type MethodDefinition } from "../../../shared/schema/mod.ts";
import { CallError, UsageError } from "../failure.ts";
import { type ApplicableKind, readDocuments, type SourceText, type WantedObject } from "./document.ts";
import { findLive, type LiveObjects, liveObjects, planObject, planPrune, type Step } from "./plan.ts";

/** Calls of one kind that are under way at a time; kinds follow each other. */
const PARALLEL_CALLS = 8;

/** What the platform answers to an update that would change nothing. */
const NOTHING_CHANGED = /nothing to change/i;

/** Makes a regional call and yields what comes back. Throws CallError. */
export type CallRegion = (method: MethodDefinition, body: Record<string, unknown>) => AsyncIterable<unknown>;

/** How an object came out. */
export type Outcome = "created" | "updated" | "deleted" | "unchanged" | "failed";

/** One object when it is done with. */
export interface Applied {
  readonly outcome: Outcome;
  readonly region: string;
  readonly kind: string;
  readonly key: string;
  /** Fields that were updated. */
  readonly fields?: readonly string[];
  /** Why it failed, or the platform's last word. */
  readonly message?: string;
}

/** Options of {@linkcode applyDocuments}. */
export interface ApplyOptions {
  readonly region: string;
  readonly prune: boolean;
  readonly dryRun: boolean;
  readonly call: CallRegion;
  /** An object is done with. */
  done(applied: Applied): void;
  /** A line of progress of an object that takes long. */
  progress(name: string, line: string): void;
}

/**
 * Brings the platform to what the documents say: creates, updates and, where that is wanted, deletes, in the order in which
 * objects depend on each other. What fails is told and the rest goes on. Applying the same again changes nothing.
 */
export async function applyDocuments(sources: readonly SourceText[], options: ApplyOptions): Promise<void> {
  const wanted = readDocuments(sources, options.region);
  if (wanted.length === 0) throw new UsageError("there is nothing in the document");
  const live = await readLive(wanted, options.call);
  const liveOf = ({ kind, region }: WantedObject) => live.get(`${region}/${kind.section}`)!;
  const steps = wanted.map((each) => {
    const key = findLive(each, liveOf(each));
    return planObject(each, key === undefined ? undefined : liveOf(each).get(key));
  });
  const prune = options.prune ? planPrune(wanted, liveOf) : [];
  const run = { options, steps: [...steps, ...prune] };
  for (const group of groupsOf(steps)) await inParallel(group, (step) => take(run, step));
  for (const group of groupsOf(prune)) await inParallel(group, (step) => take(run, step));
}

/** What is there of the kinds and organizations that are spoken of, by region and section. */
async function readLive(wanted: readonly WantedObject[], call: CallRegion): Promise<Map<string, LiveObjects>> {
  const live = new Map<string, LiveObjects>();
  const groups = Map.groupBy(wanted, ({ kind, region }) => `${region}/${kind.section}`);
  await inParallel([...groups], async ([id, group]) => {
    const { kind, region } = group[0]!;
    const owners = new Set(group.map(({ object }) => kind.kind.owner(object)));
    const items: unknown[] = [];
    for (const owner of owners) {
      const filter = ownerFilter(kind, owner);
      for await (const item of call(kind.show, { region, [kind.section]: filter })) items.push(item);
    }
    live.set(id, liveObjects(kind, items));
  });
  return live;
}

/** An example that only an organization's objects match. */
function ownerFilter({ kind }: ApplicableKind, owner: string): Record<string, unknown> {
  if (owner === "") return {};
  const path = kind.message.descriptor.object!.owner.split(".");
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), owner) as Record<string, unknown>;
}

interface Run {
  readonly options: ApplyOptions;
  readonly steps: readonly Step[];
}

async function take(run: Run, step: Step): Promise<void> {
  const { options } = run;
  const base = { region: step.region, kind: step.kind.kind.kind, key: nameOf(step.keyString) };
  switch (step.action) {
    case "keep":
      return options.done({ ...base, outcome: "unchanged" });
    case "refuse":
      return options.done({ ...base, outcome: "failed", message: step.reason });
    case "create":
    case "update":
    case "delete":
  }
  const method = { create: step.kind.create, update: step.kind.update, delete: step.kind.remove }[step.action]!;
  const object = step.action === "update" && step.mask.length > 0 ? { ...step.json, fields: step.mask } : step.json;
  const body = { region: step.region, [step.kind.section]: object, ...(options.dryRun && { dryrun: true }) };
  let message = "";
  try {
    for await (const item of options.call(method, body)) {
      if (!isJsonObject(item) || typeof item["message"] !== "string") continue;
      if (message !== "") options.progress(`${base.kind} ${base.key}`, message);
      message = item["message"];
    }
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (!(options.dryRun && isResolvedByRun(run, error.message))) {
      return options.done({ ...base, outcome: "failed", message: error.message });
    }
  }
  const outcomes = { create: "created", update: "updated", delete: "deleted" } as const;
  const unchanged = step.action === "update" && NOTHING_CHANGED.test(message);
  options.done({
    ...base,
    outcome: unchanged ? "unchanged" : outcomes[step.action],
    ...(step.fields.length > 0 && { fields: step.fields }),
    ...(message !== "" && { message }),
  });
}

/**
 * Whether a refusal of a dry run would not come in earnest: what is missing is among what is to be created, what is in the
 * way is among what is to be deleted.
 */
function isResolvedByRun({ steps }: Run, message: string): boolean {
  const named = (action: Step["action"], kind: string, keyString: string) =>
    steps.some((step) => step.action === action && step.kind.kind.kind === kind && step.keyString === keyString);
  const missing = message.split("; ").map((part) => /^(\w+) key (\{.*\}) not found$/.exec(part));
  if (missing.every((part) => part !== null)) return missing.every(([, kind, key]) => named("create", kind!, key!));
  const blockers = / in use by (.*)$/.exec(message);
  if (blockers === null || / and \d+ more$/.test(message)) return false;
  const parts = [...blockers[1]!.matchAll(/(\w+) (\{.*?\})(?=, \w+ \{|$)/g)];
  return parts.length > 0 && parts.every(([, kind, keyString]) => named("delete", kind!, keyString!));
}

/** The values of a key, as people name the object. */
export function nameOf(keyString: string): string {
  const parts: string[] = [];
  const collect = (value: unknown) => {
    if (isJsonObject(value)) Object.values(value).forEach(collect);
    else parts.push(String(value));
  };
  collect(JSON.parse(keyString));
  return parts.join("/");
}

/** Steps of one kind after the other. */
function groupsOf(steps: readonly Step[]): Step[][] {
  return [...Map.groupBy(steps, ({ kind }) => kind).values()];
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_CALLS, items.length) }, worker));
}
