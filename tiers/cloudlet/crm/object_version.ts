import type { Timestamp } from "../../../shared/schema/mod.ts";

/** Which version of an object a report answers; empty when the object is not known. */
export function versionOf(object: { updatedAt?: Timestamp } | undefined): string {
  return object?.updatedAt === undefined ? "" : JSON.stringify(object.updatedAt);
}
