import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { type ObjectKind, siteView, siteViewName } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { ObjectChange, RegionCache } from "../state/region_cache.ts";
import { ScopeIndex } from "./scopes.ts";

/** Kinds that go down to children, in the order in which they are sent; those that are not stored come from elsewhere. */
export function publishedKinds(kinds: readonly AnyKind[]): AnyKind[] {
  return kinds.filter((kind) =>
    (kind.stored || kind.source === "CONTROLLER") && kind.replicate.some((rule) => rule.to !== "TO_CONTROLLER")
  );
}

/**
 * Names under which these kinds go down, in the order in which they are sent.
 *
 * @param siteViews whether the matching engines of cloudlets are sent their part of them, under names of its own
 */
export function publishedNames(kinds: readonly AnyKind[], siteViews: boolean): string[] {
  return publishedKinds(kinds).flatMap((kind) =>
    siteViews && siteView(kind) !== undefined ? [kind.kind, siteViewName(kind.kind)] : [kind.kind]
  );
}

/**
 * Hands everything in the cache, and every change of it, to the notify hub. Returns what ends that.
 *
 * @param siteViews as for `publishedNames`; it costs a second, smaller entry for each object
 */
export function publishRegion(
  hub: NotifyHub,
  cache: RegionCache,
  kinds: readonly AnyKind[],
  siteViews = false,
): () => void {
  const scopes = new ScopeIndex();
  const published = new Set(publishedKinds(kinds).map((kind) => kind.kind));
  const views = new Map<string, (object: unknown) => unknown>();
  for (const kind of siteViews ? kinds : []) {
    const view = siteView(kind);
    if (view !== undefined) views.set(kind.kind, view);
  }

  function publish<T, K>(kind: ObjectKind<T, K>, keyString: string): void {
    if (!published.has(kind.kind)) return;
    const row = cache.row(kind, keyString);
    const object = row?.object;
    const traceparent = cache.traceparentOf(kind, keyString);
    if (row === undefined || object === undefined) hub.publish(kind.kind, keyString, undefined, { traceparent });
    else {
      const { slab, at, length } = cache.encoded(kind, row);
      hub.publish(kind.kind, keyString, slab.subarray(at, at + length), {
        scopes: scopes.scopesOf(kind, keyString, object),
        traceparent,
      });
    }
    const view = views.get(kind.kind) as ((object: T) => T) | undefined;
    if (view === undefined) return;
    // For whichever site: what devices anywhere may be told is not bound to one.
    const seen = object && kind.message.encode(view(object));
    hub.publish(siteViewName(kind.kind), keyString, seen, { traceparent });
  }

  function apply(changes: readonly ObjectChange[]): void {
    const moved = scopes.update(changes);
    if (changes.length === 1 && moved.length === 0) return publish(changes[0]!.kind, changes[0]!.keyString);
    const all = new Map<string, { kind: AnyKind; keyString: string }>();
    for (const { kind, keyString } of [...moved, ...changes]) all.set(`${kind.kind}/${keyString}`, { kind, keyString });
    // What is referred to goes out first and comes back last.
    const ordered = [...all.values()].sort((a, b) => a.kind.order - b.kind.order);
    const gone = ({ kind, keyString }: { kind: AnyKind; keyString: string }) =>
      cache.get(kind, keyString) === undefined;
    for (const { kind, keyString } of ordered.filter(gone).reverse()) publish(kind, keyString);
    for (const { kind, keyString } of ordered.filter((change) => !gone(change))) publish(kind, keyString);
  }

  const stored = kinds.filter((kind) => kind.stored).sort((a, b) => a.order - b.order);
  for (const kind of stored) {
    for (const [keyString, object] of cache.table(kind)) {
      scopes.update([{ kind, keyString, object, old: undefined }]);
    }
  }
  for (const kind of stored) {
    for (const keyString of cache.table(kind).keys()) publish(kind, keyString);
  }
  const unsubscribe = cache.subscribe(({ objects }) => {
    if (objects.length > 0) apply(objects);
  });
  hub.markReady();
  return unsubscribe;
}
