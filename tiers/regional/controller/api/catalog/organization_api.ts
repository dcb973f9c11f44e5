import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  kinds,
  type MessageDescriptor,
  type OrganizationApi,
  Result,
  valuesAt,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { type AnyKind, refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import type { RegionCache } from "../../state/region_cache.ts";

/** Code of the answer that an organization is in use. */
const IN_USE = 1;

/** Handlers of OrganizationApi. */
export function organizationApi({ region }: ApiContext): Handlers<typeof OrganizationApi> {
  return {
    // deno-lint-ignore require-await -- async as calls are
    async organizationInUse({ name }) {
      const issues = new Issues();
      issues.check(name !== "", "name", undefined, "is required");
      refuse(issues.list);
      const using = (kinds as readonly AnyKind[]).filter((kind) => kind.stored && isUsed(region.cache, kind, name))
        .map(({ kind }) => kind).sort();
      if (using.length === 0) return Result.create();
      return Result.create({ code: IN_USE, message: `in use by some ${using.join(", ")}` });
    },
  };
}

/** Whether an object of the kind belongs to the organization or has it in its key; in any case, as names differ in more. */
function isUsed(cache: RegionCache, kind: AnyKind, organization: string): boolean {
  const wanted = organization.toLowerCase();
  const paths = organizationPaths(kind);
  for (const object of cache.table(kind).values()) {
    const named = paths.flatMap((path) => valuesAt(kind.message.descriptor, object as object, path));
    if ([kind.owner(object), ...named].some((name) => String(name).toLowerCase() === wanted)) return true;
  }
  return false;
}

/** Where a kind's key names organizations. */
function organizationPaths(kind: AnyKind): string[] {
  const { descriptor } = kind.message;
  return (descriptor.object?.keyFields ?? []).flatMap((name: string) => {
    const inner = descriptor.field(name)?.message?.descriptor;
    return inner === undefined ? [] : pathsIn(inner).map((path) => `${name}.${path}`);
  });
}

function pathsIn(descriptor: MessageDescriptor): string[] {
  return descriptor.fields.flatMap((field) => {
    if (field.scalar === "string" && field.name.endsWith("organization")) return [field.name];
    const inner = field.message?.descriptor;
    return inner === undefined ? [] : pathsIn(inner).map((path) => `${field.name}.${path}`);
  });
}
