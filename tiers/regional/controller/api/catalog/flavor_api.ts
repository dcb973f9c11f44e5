import { type Handlers, RpcError, Status } from "../../../../../shared/rpc/mod.ts";
import { type FlavorApi, FlavorKind } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { checkFlavor, checkNewResources } from "../../rules/flavor.ts";
import { sidecarsAlong } from "../app_deletion.ts";
import { done, readKey } from "../requests.ts";
import { catalog } from "./catalog.ts";

/** Handlers of FlavorApi. */
export function flavorApi(context: ApiContext): Handlers<typeof FlavorApi> {
  const flavors = catalog(context, FlavorKind, {
    check(flavor, issues, before) {
      checkFlavor(flavor, issues);
      if (before === undefined) checkNewResources(flavor, issues);
    },
    along: sidecarsAlong(context),
  });
  return {
    createFlavor: flavors.create,
    deleteFlavor: flavors.remove,
    // deno-lint-ignore require-await -- async as calls are
    async updateFlavor(request) {
      readKey(FlavorKind, request);
      throw new RpcError(
        Status.UNIMPLEMENTED,
        "Flavors cannot be changed, as what runs was made for their size: create another one",
      );
    },
    async addFlavorRes(request) {
      await flavors.modify(request, (flavor) => Object.assign(flavor.optResMap, request.optResMap));
      return done("Added resources to the flavor");
    },
    async removeFlavorRes(request) {
      await flavors.modify(request, (flavor) => {
        for (const name of Object.keys(request.optResMap)) delete flavor.optResMap[name];
      });
      return done("Removed resources from the flavor");
    },
    showFlavor: flavors.show,
  };
}
