import type { Peer } from "../rpc/mod.ts";
import type { HelloInfo } from "./hello.ts";

/** How a child is let in. */
export interface Admission {
  readonly refuse?: undefined;
  /** Key string of the child's cloudlet, from its certificate: only objects for it are sent. Undefined: all are. */
  readonly scope?: string;
  /** Kinds that it may want. @default all that are served */
  readonly wants?: readonly string[];
  /** Kinds that it may own. @default all that are accepted */
  readonly owns?: readonly string[];
  /**
   * Its name: a newer stream of the same name replaces an older one.
   * @default service and scope of a scoped child, service and instance of another
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
  readonly scope: string | undefined;
  readonly name: string;
  readonly wants: readonly string[];
  readonly owns: readonly string[];
}

/** Applies an admission to a hello: what both sides agree on, or why they do not. */
export function agree(
  hello: HelloInfo,
  admission: Admission,
  served: readonly string[],
  accepted: readonly string[],
): Agreement | AdmissionRefusal {
  const { scope } = admission;
  const wrong = missing(hello.wants, served, admission.wants);
  if (wrong !== undefined) return { refuse: `Kind ${JSON.stringify(wrong)} is not served to ${hello.service}` };
  const alien = missing(hello.owns, accepted, admission.owns);
  if (alien !== undefined) return { refuse: `Kind ${JSON.stringify(alien)} is not accepted from ${hello.service}` };
  const name = admission.name ??
    (scope === undefined ? `${hello.service}#${hello.instance}` : `${hello.service}@${scope}`);
  return { scope, name, wants: hello.wants, owns: hello.owns };
}

function missing(
  asked: readonly string[],
  known: readonly string[],
  allowed: readonly string[] | undefined,
): string | undefined {
  return asked.find((kind) => !known.includes(kind) || allowed && !allowed.includes(kind));
}
