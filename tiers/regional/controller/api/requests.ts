import {
  clearUnset,
  continueKey,
  continueToken,
  type DeepPartial,
  isKeyField,
  MAX_PAGE_OBJECTS,
  type ObjectKind,
  RequestOption,
  requiredIssues,
  Result,
} from "../../../../shared/schema/mod.ts";
import { type CallContext, MessageBatch, type Metadata } from "../../../../shared/rpc/mod.ts";
import { refuse } from "../faults.ts";
import type { Progress } from "../operations/progress.ts";
import { Issues } from "../rules/issues.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { firstAfter } from "../state/row_order.ts";

/**
 * Takes a new object from a request: only what callers may set, defaults filled in, all rules checked that need no other
 * object. Throws all faults together.
 */
export function readNew<T, K>(
  kind: ObjectKind<T, K>,
  request: T,
  rules: { defaults?(object: T): void; check(object: T, issues: Issues): void },
): T {
  const object = kind.message.create(request as DeepPartial<T>);
  clearUnset(kind.message, object);
  rules.defaults?.(object);
  const issues = new Issues();
  issues.list.push(...requiredIssues(kind.message, object));
  rules.check(object, issues);
  refuse(issues.list);
  return object;
}

/** The key string of a request about an object that is there; throws when a part of the key is missing. */
export function readKey<T, K>(kind: ObjectKind<T, K>, request: T): string {
  const { descriptor } = kind.message;
  refuse(requiredIssues(kind.message, request).filter(({ path }) => isKeyField(descriptor, path.split(".")[0]!)));
  return kind.keyString(kind.key(request));
}

/** A show hands over so many octets at once: enough to make a step cheap, and little to wait in memory for slow readers. */
const BATCH_BYTES = 32 * 1024;

/**
 * Everything that matches an example, in the order of keys, from the cache, as the bytes that are kept there. With a limit among the call's request options
 * it is one page, and the trailers say where the next one begins. Throws INVALID_ARGUMENT for options that are none.
 */
export async function* show<T, K>(
  cache: RegionCache,
  kind: ObjectKind<T, K>,
  matches: (object: T) => boolean,
  call: Pick<CallContext, "metadata" | "trailers">,
): AsyncGenerator<MessageBatch> {
  const page = readPage(call.metadata);
  // A list of rows, not of objects: a slow reader then sees objects as they are when their turn comes.
  const rows = cache.ordered(kind);
  const batch = new MessageBatch();
  let shown = 0;
  let last = "";
  for (let i = firstAfter(rows, page.after); i < rows.length; i++) {
    let row = rows[i]!;
    // It went; under the same key another may have come.
    if (row.object === undefined) row = cache.row(kind, row.key) ?? row;
    if (row.object === undefined || !matches(row.object)) continue;
    if (shown === page.limit) {
      // Told only when there is something on the next page.
      call.trailers.set(RequestOption.continueAt, continueToken(last));
      break;
    }
    shown++;
    last = row.key;
    const { slab, at, length } = cache.encoded(kind, row);
    batch.add(slab, at, length);
    if (batch.bytes < BATCH_BYTES) continue;
    yield batch;
    batch.clear();
  }
  if (batch.bytes > 0) yield batch;
}

function readPage(metadata: Metadata): { after: string; limit: number } {
  const issues = new Issues();
  const limit = metadata.get(RequestOption.limit);
  const size = limit === undefined ? Infinity : /^\d+$/.test(limit) ? Number(limit) : 0;
  const fits = limit === undefined || (size >= 1 && size <= MAX_PAGE_OBJECTS);
  issues.check(fits, "limit", limit, `must be a number from 1 to ${MAX_PAGE_OBJECTS}`);
  const token = metadata.get(RequestOption.continueAt);
  const after = token === undefined ? "" : continueKey(token);
  issues.check(after !== undefined, "continue", token, "must be what the page before said");
  refuse(issues.list);
  return { after: after ?? "", limit: size };
}

/** The answer of a call that has nothing to say but that it worked. */
export function done(message = ""): Result {
  return Result.create({ message });
}

/** Waits for an operation and answers with its last line. A caller that hangs up does not stop the operation. */
export async function finish(progress: Progress, context: CallContext): Promise<Result> {
  let last = done();
  for await (const line of progress.read(context.signal)) last = line;
  return last;
}
