import { createHash } from "node:crypto";

/** Who may see an object: everyone (undefined), one scope, or several; an empty set is nobody. */
export type Scopes = string | ReadonlySet<string> | undefined;

/** Scopes in their smallest form. */
export function scopesOf(scopes: Iterable<string> | undefined): Scopes {
  if (scopes === undefined) return undefined;
  const set = new Set(scopes);
  if (set.size !== 1) return set;
  const [only] = set;
  return only;
}

/** Whether who looks through `filter` (undefined: at everything) sees what is for `scopes`. */
export function overlap(scopes: Scopes, filter: Scopes): boolean {
  if (scopes === undefined || filter === undefined) return true;
  if (typeof filter === "string") return typeof scopes === "string" ? scopes === filter : scopes.has(filter);
  if (typeof scopes === "string") return filter.has(scopes);
  const [small, large] = scopes.size < filter.size ? [scopes, filter] : [filter, scopes];
  for (const scope of small) if (large.has(scope)) return true;
  return false;
}

/** Longest text of a filter that is told as it is. */
const MAX_FILTER_CHARS = 200;

/** Tells filters apart, by a text of bounded length: what is held under one filter is not what another one shows. */
export function filterText(filter: string | ReadonlySet<string>): string {
  if (typeof filter === "string") return filter;
  const text = JSON.stringify([...filter].sort());
  return text.length <= MAX_FILTER_CHARS ? text : createHash("sha256").update(text).digest("base64url");
}

/** All of both. */
export function union(a: Scopes, b: Scopes): Scopes {
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return a;
  return scopesOf([...listOf(a), ...listOf(b)]);
}

/** Those of `a` that are not in `b`; `a` itself when it is everyone and `b` is not. */
export function minus(a: Scopes, b: Scopes): Scopes {
  if (b === undefined) return NOBODY;
  if (a === undefined) return undefined;
  return scopesOf(listOf(a).filter((scope) => !overlap(b, scope)));
}

/** Whether both name the same. */
export function sameScopes(a: Scopes, b: Scopes): boolean {
  if (a === undefined || b === undefined || typeof a === "string" || typeof b === "string") return a === b;
  if (a.size !== b.size) return false;
  for (const scope of a) if (!b.has(scope)) return false;
  return true;
}

/** The scopes one by one; not for everyone. */
export function listOf(scopes: string | ReadonlySet<string>): string[] {
  return typeof scopes === "string" ? [scopes] : [...scopes];
}

/** Seen by no scoped child. */
export const NOBODY: ReadonlySet<string> = new Set();
