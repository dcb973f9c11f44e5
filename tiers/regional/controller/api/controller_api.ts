import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type ControllerApi, ControllerKind, matcher } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { show } from "./requests.ts";

/** Handlers of ControllerApi. */
export function controllerApi({ region }: ApiContext): Handlers<typeof ControllerApi> {
  return {
    showController: (request, call) =>
      show(
        region.cache,
        ControllerKind,
        matcher(ControllerKind.message, request),
        call,
      ),
  };
}
