import type { Peer } from "../rpc/mod.ts";
import type { HelloInfo } from "./hello.ts";
import { type Scopes, scopesOf } from "./scopes.ts";

/** How a child is let in. */
export interface Admission {
  readonly refuse?: undefined;
  /** Key string of the child's cloudlet, from its certificate: only objects for it are sent. Undefined: all are. */
  readonly scope?: string;
  /** Scopes of a child that has several, such as the cloudlets that it serves; with `scope` that one as well. */
  readonly scopes?: readonly string[];
  /**
   * Kinds of which it is sent the objects for other scopes than its own: those listed, or all (undefined). A child may ask
   * for less than it may see, not for more.
   */
  readonly filters?: Readonly<Record<string, readonly string[] | undefined>>;
  /** Kinds that it may want. @default all that are served */
  readonly wants?: readonly string[];
  /** Kinds that it may own. @default all that are accepted */
  readonly owns?: readonly string[];
  /**
   * Its name: a newer stream of the same name replaces an older one.
   * @default service and scope of a child of one scope, service and instance of another
   */
  readonly name?: string;
}

/** Why a child is not let in. */
export interface AdmissionRefusal {
  readonly refuse: string;
  /** Earliest time for another try, ms; 0: at the child's own pace. */
  readonly retryAfterMs?: number;
}

/** Decides on a child by what the interceptors know of it (`identity`) and what it says of itself. */
export type AdmissionRules = (
  identity: unknown,
  hello: HelloInfo,
  peer: Peer,
) => Admission | AdmissionRefusal | Promise<Admission | AdmissionRefusal>;

/** What has been agreed on with a child. */
export interface Agreement {
  readonly refuse?: undefined;
  /** Its own scopes; undefined: none in particular, and it may own objects of all. */
  readonly scopes: readonly string[] | undefined;
  readonly name: string;
  /** Kinds that it is sent, each with its filter. */
  readonly wants: ReadonlyMap<string, Scopes>;
  readonly owns: readonly string[];
}

/** Applies an admission to a hello: what both sides agree on, or why they do not. */
export function agree(
  hello: HelloInfo,
  admission: Admission,
  served: readonly string[],
  accepted: readonly string[],
): Agreement | AdmissionRefusal {
  const wrong = missing(hello.wants, served, admission.wants);
  if (wrong !== undefined) return { refuse: `Kind ${JSON.stringify(wrong)} is not served to ${hello.service}` };
  const alien = missing(hello.owns, accepted, admission.owns);
  if (alien !== undefined) return { refuse: `Kind ${JSON.stringify(alien)} is not accepted from ${hello.service}` };
  const { scope, scopes: several } = admission;
  const scopes = scope === undefined ? several : [...new Set([scope, ...several ?? []])];
  const wants = new Map<string, Scopes>();
  for (const kind of hello.wants) {
    const { filters } = admission;
    const allowed = filters !== undefined && Object.hasOwn(filters, kind) ? filters[kind] : scopes;
    const asked = hello.filters?.[kind];
    const excess = allowed && asked?.find((scope) => !allowed.includes(scope));
    if (excess !== undefined) return { refuse: `Kind ${JSON.stringify(kind)} is not served for ${excess}` };
    wants.set(kind, scopesOf(asked ?? allowed));
  }
  const place = scopes?.length === 1 ? `@${scopes[0]}` : `#${hello.instance}`;
  return { scopes, name: admission.name ?? `${hello.service}${place}`, wants, owns: hello.owns };
}

function missing(
  asked: readonly string[],
  known: readonly string[],
  allowed: readonly string[] | undefined,
): string | undefined {
  return asked.find((kind) => !known.includes(kind) || allowed && !allowed.includes(kind));
}
