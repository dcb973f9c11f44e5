/**
 * What cloudlets have and give: their reports, the sizes that fit flavors, and the books of what is taken.
 *
 * @module
 */
import type { Handlers, Service } from "../../../../../shared/rpc/mod.ts";
import {
  AppInstRefsApi,
  CloudletInfoApi,
  CloudletRefsApi,
  CloudletResourcesApi,
  ClusterRefsApi,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { cloudletInfoApi } from "./cloudlet_info_api.ts";
import { cloudletResourcesApi, cloudletUsage } from "./cloudlet_resources_api.ts";
import { appInstRefsApi, cloudletRefsApi, clusterRefsApi } from "./refs_api.ts";

export { cloudletUsage };
export { openBooks } from "./books.ts";
export {
  findSize,
  needsOfAppInst,
  needsOfClusterInst,
  readSite,
  type Site,
  siteFromCache,
  sizeFor,
  type Taking,
} from "./site.ts";
export { giveBackAppInst, giveBackClusterInst, readRefs, requireResources, takeResources } from "./take.ts";
export { watchResources } from "./warnings.ts";

/** Serves the calls about what cloudlets have and give. */
export function serveResources(
  serve: <S extends Service>(service: S, api: (context: ApiContext) => Handlers<S>) => void,
): void {
  serve(CloudletInfoApi, cloudletInfoApi);
  serve(CloudletResourcesApi, cloudletResourcesApi);
  serve(CloudletRefsApi, cloudletRefsApi);
  serve(ClusterRefsApi, clusterRefsApi);
  serve(AppInstRefsApi, appInstRefsApi);
}
