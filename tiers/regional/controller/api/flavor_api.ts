import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type FlavorApi, FlavorKind, matches } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists } from "../faults.ts";
import { checkFlavor } from "../rules/flavor.ts";
import { deleteStored } from "./deletion.ts";
import { done, finish, readKey, readNew, show } from "./requests.ts";

/** Handlers of FlavorApi. */
export function flavorApi(context: ApiContext): Handlers<typeof FlavorApi> {
  const { region, operations } = context;
  return {
    async createFlavor(request) {
      const flavor = readNew(FlavorKind, request, { check: checkFlavor });
      const key = FlavorKind.keyString(flavor.key);
      await region.change(async (tx) => {
        if (await tx.get(FlavorKind, key)) throw alreadyExists(FlavorKind, key);
        tx.put(FlavorKind, flavor);
      });
      return done("Created flavor");
    },
    async deleteFlavor(request, call) {
      const key = readKey(FlavorKind, request);
      const progress = operations.run(
        FlavorKind,
        key,
        "delete",
        (operation) => deleteStored(context, operation, FlavorKind, key),
      );
      return await finish(progress, call);
    },
    showFlavor: (request, call) =>
      show(region.cache, FlavorKind, (flavor) => matches(FlavorKind.message, request, flavor), call),
  };
}
