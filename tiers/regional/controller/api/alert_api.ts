import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type AlertApi, AlertKind, matcher } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { show } from "./requests.ts";

/** Handlers of AlertApi. */
export function alertApi({ region }: ApiContext): Handlers<typeof AlertApi> {
  return {
    showAlert: (request, call) => show(region.cache, AlertKind, matcher(AlertKind.message, request), call),
  };
}
