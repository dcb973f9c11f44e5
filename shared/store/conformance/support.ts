import assert from "node:assert/strict";
import { type Store, StoreError, type WatchBatch } from "../mod.ts";

/** One rule that every driver keeps. It gets a fresh, empty store. */
export interface ConformanceCase {
  name: string;
  run(store: Store): Promise<void>;
}

/** Longest wait for something that must happen, in milliseconds; generous, as machines may be loaded. */
const PATIENCE_MS = 30_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes of a text. */
export function bytes(value: string): Uint8Array {
  return encoder.encode(value);
}

/** Text of bytes. */
export function text(value: Uint8Array): string {
  return decoder.decode(value);
}

/** Puts a text; returns the revision. */
export async function put(store: Store, key: string, value: string): Promise<number> {
  return (await store.transact([], [{ type: "put", key, value: bytes(value) }])).revision;
}

/** Deletes a key; returns the revision. */
export async function remove(store: Store, key: string): Promise<number> {
  return (await store.transact([], [{ type: "delete", key }])).revision;
}

/** Keys and values of a prefix as text. */
export async function contents(store: Store, prefix: string, revision?: number): Promise<Record<string, string>> {
  const { entries } = await store.scan(prefix, { revision });
  return Object.fromEntries(entries.map((entry) => [entry.key, text(entry.value)]));
}

/** The first `count` batches with events, fewer when the watch ends before. */
export async function take(store: Store, prefix: string, fromRevision: number, count: number): Promise<WatchBatch[]> {
  const stop = new AbortController();
  const taken: WatchBatch[] = [];
  const taking = (async () => {
    for await (const batch of store.watch(prefix, { fromRevision, signal: stop.signal })) {
      if (batch.events.length > 0) taken.push(batch);
      if (taken.length === count) break;
    }
  })();
  try {
    await within(taking, `${count} batches`);
  } finally {
    stop.abort();
  }
  return taken;
}

/** A batch in short. */
export function plain(batch: WatchBatch): { revision: number; events: string[] } {
  const events = batch.events.map((event) =>
    event.type === "put" ? `put ${event.key}=${text(event.entry!.value)}` : `delete ${event.key}`
  );
  return { revision: batch.revision, events };
}

/** Expects a StoreError of a reason. */
export async function rejects(attempt: () => Promise<unknown>, reason: string): Promise<StoreError> {
  try {
    await attempt();
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.reason, reason, error.message);
    return error;
  }
  assert.fail(`Nothing was refused where ${reason} was due: ${attempt}`);
}

/** Waits for what must happen, with patience. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${PATIENCE_MS} ms in vain: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
