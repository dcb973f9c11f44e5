import {
  clearUnset,
  type DeepPartial,
  type ObjectKind,
  requiredIssues,
  Result,
} from "../../../../shared/schema/mod.ts";
import type { CallContext } from "../../../../shared/rpc/mod.ts";
import { refuse } from "../faults.ts";
import type { Progress } from "../operations/progress.ts";
import { Issues } from "../rules/issues.ts";
import type { RegionCache } from "../state/region_cache.ts";

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
  refuse(requiredIssues(kind.message, request).filter(({ path }) => path.startsWith("key.")));
  return kind.keyString(kind.key(request));
}

/** Everything that matches an example, in the order of keys, from the cache. */
export async function* show<T, K>(
  cache: RegionCache,
  kind: ObjectKind<T, K>,
  matches: (object: T) => boolean,
): AsyncGenerator<T> {
  // A list of keys, not of objects: a slow reader then sees objects as they are when their turn comes.
  const keys = [...cache.table(kind).keys()].sort();
  for (const key of keys) {
    const object = cache.get(kind, key);
    if (object !== undefined && matches(object)) yield object;
  }
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
