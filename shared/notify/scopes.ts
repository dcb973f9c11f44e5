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

/** Scopes by number: what many objects are for is kept once. */
export class ScopeTable {
  /** By number, from 1 on; 0 is everyone. */
  readonly #all: ({ scopes: string | ReadonlySet<string>; text: string; uses: number } | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];

  /** The number of scopes, for one more user. */
  take(scopes: Scopes): number {
    if (scopes === undefined) return 0;
    // One scope cannot look like the JSON of several.
    const text = typeof scopes === "string" ? `=${scopes}` : JSON.stringify([...scopes].sort());
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#all.length;
      this.#numbers.set(text, number);
      this.#all[number] = { scopes, text, uses: 0 };
    }
    this.#all[number]!.uses++;
    return number;
  }

  /** The scopes of a number. */
  at(number: number): Scopes {
    return this.#all[number]?.scopes;
  }

  /** One user less. */
  release(number: number): void {
    const entry = this.#all[number];
    if (!entry || --entry.uses > 0) return;
    this.#numbers.delete(entry.text);
    this.#all[number] = undefined;
    this.#free.push(number);
  }
}
