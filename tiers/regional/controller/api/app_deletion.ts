import { AppInstKind, AppKind } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import type { AnyKind } from "../faults.ts";
import type { Operation } from "../operations/operations.ts";
import type { Progress } from "../operations/progress.ts";
import { NO_OVERRIDE } from "../rules/crm_override.ts";
import { isSidecar } from "../rules/deployments.ts";
import type { Reference } from "../state/references.ts";
import { deleteWithOwner, staysWithoutOwner } from "./app_inst/cascade.ts";
import { freePackageName } from "./app_package.ts";
import { deleteStored, type DeletionOptions } from "./deletion.ts";

/** DeleteApp, as an operation: instances that nobody asked for by name go along (specification 4.1). */
export function appDeletion(context: ApiContext, key: string): Progress {
  return context.operations.run(AppKind, key, "delete", (operation) => deleteApp(context, operation, key));
}

async function deleteApp(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { cache } = context.region;
  const { organization } = AppKind.parseKey(key);
  await deleteStored(context, operation, AppKind, key, {
    along: {
      includes: ({ kind, keyString }) =>
        isKind(kind, AppInstKind) && !staysWithoutOwner(cache, keyString, organization),
      remove: (instances) =>
        deleteWithOwner(context, operation.progress, instances.map(({ keyString }) => keyString).sort(), {
          override: NO_OVERRIDE,
        }),
    },
    remove: freePackageName,
  });
}

/** The platform's own apps, which go with a flavor that only they name. */
export function sidecarsAlong<T>(context: ApiContext): NonNullable<DeletionOptions<T>["along"]> {
  const { cache } = context.region;
  return {
    includes({ kind, keyString }: Reference) {
      const app = isKind(kind, AppKind) ? cache.get(AppKind, keyString) : undefined;
      return app !== undefined && isSidecar(app);
    },
    async remove(apps) {
      for (const { keyString } of apps) {
        for await (const _ of appDeletion(context, keyString).read(new AbortController().signal));
      }
    },
  };
}

function isKind(kind: AnyKind, wanted: AnyKind): boolean {
  return kind.kind === wanted.kind;
}
