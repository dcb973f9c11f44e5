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

/** Whether a child of `scope` (undefined: unscoped, sees all) is among them. */
export function includes(scopes: Scopes, scope: string | undefined): boolean {
  if (scope === undefined || scopes === undefined) return true;
  return typeof scopes === "string" ? scopes === scope : scopes.has(scope);
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
  return scopesOf(listOf(a).filter((scope) => !includes(b, scope)));
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
