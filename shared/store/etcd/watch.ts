import type { StoreClock } from "../deps.ts";
import { CompactedError } from "../errors.ts";
import { decodeKey, prefixEnd } from "../keys.ts";
import { WATCH_RETRY_MAX_MS, WATCH_RETRY_MIN_MS } from "../limits.ts";
import type { WatchBatch, WatchOptions } from "../store.ts";
import { buffer, type EtcdClient, type WatchStream } from "./client.ts";
import { toEntry } from "./entry.ts";

const FROM_KEY_ON = new Uint8Array([0]);

/** Watches a prefix, over as many connections as it takes. Each has one stream, read only as fast as its reader reads. */
export async function* watchEtcd(
  client: EtcdClient,
  prefix: Uint8Array,
  options: WatchOptions,
  clock: StoreClock,
  random: () => number,
): AsyncGenerator<WatchBatch> {
  const { signal } = options;
  const cursor = { next: options.fromRevision };
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const batch of watchOnce(client, prefix, cursor, signal)) {
        failures = 0;
        yield batch;
      }
    } catch (error) {
      if (error instanceof CompactedError) throw error;
      // Anything else is a lost or refused connection; `status` tells people, the watch goes on when it is back.
    }
    failures++;
    const pauseMs = Math.min(WATCH_RETRY_MAX_MS, WATCH_RETRY_MIN_MS * 2 ** failures);
    await clock.sleep(pauseMs * (0.5 + random() / 2), signal);
  }
}

async function* watchOnce(
  client: EtcdClient,
  prefix: Uint8Array,
  cursor: { next: number },
  signal: AbortSignal,
): AsyncGenerator<WatchBatch> {
  const stream = await client.watchClient.watch();
  const stop = () => {
    stream.end();
    stream.cancel();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) return;
    stream.write({
      create_request: {
        key: buffer(prefix.length === 0 ? FROM_KEY_ON : prefix),
        range_end: buffer(prefixEnd(prefix) ?? FROM_KEY_ON),
        // One early: compaction may have dropped deletes of its own revision, and only a start below it is refused.
        start_revision: Math.max(1, cursor.next - 1),
        progress_notify: true,
      },
    });
    for await (const answer of answers(stream)) {
      const compacted = Number(answer.compact_revision);
      if (compacted > 0) throw new CompactedError(cursor.next, compacted);
      if (answer.canceled) return;
      for (const batch of byRevision(answer.events, cursor.next)) {
        cursor.next = batch.revision + 1;
        yield batch;
      }
      const revision = Number(answer.header.revision);
      if (!answer.created && answer.events.length === 0 && revision >= cursor.next) {
        cursor.next = revision + 1;
        yield { revision, events: [] };
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

type WatchAnswer = {
  header: { revision: string };
  created: boolean;
  canceled: boolean;
  compact_revision: string;
  events: { type: string; kv: Parameters<typeof toEntry>[0] }[];
};

/** The stream is a Readable, which the client's types do not say; iterating it is what makes a slow reader slow it. */
function answers(stream: WatchStream): AsyncIterable<WatchAnswer> {
  return stream as unknown as AsyncIterable<WatchAnswer>;
}

/** etcd never splits a revision over two answers (fragments are off), but puts many revisions into one. */
function byRevision(events: WatchAnswer["events"], from: number): WatchBatch[] {
  const batches: WatchBatch[] = [];
  for (const { type, kv } of events) {
    const modRevision = Number(kv.mod_revision);
    if (modRevision < from) continue;
    let batch = batches.at(-1);
    if (batch?.revision !== modRevision) batches.push(batch = { revision: modRevision, events: [] });
    batch!.events.push(
      type.toLowerCase() === "delete"
        ? { type: "delete", key: decodeKey(kv.key), modRevision }
        : { type: "put", key: decodeKey(kv.key), entry: toEntry(kv), modRevision },
    );
  }
  return batches;
}
