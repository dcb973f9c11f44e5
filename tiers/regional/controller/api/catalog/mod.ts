import type { Handlers, Service } from "../../../../../shared/rpc/mod.ts";
import {
  AlertPolicyApi,
  AutoProvPolicyApi,
  AutoScalePolicyApi,
  CloudletPoolApi,
  FlavorApi,
  GPUDriverApi,
  NetworkApi,
  OperatorCodeApi,
  OrganizationApi,
  RateLimitSettingsApi,
  ResTagTableApi,
  SettingsApi,
  TrustPolicyApi,
  TrustPolicyExceptionApi,
  VMPoolApi,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { flavorApi } from "./flavor_api.ts";
import { gpuDriverApi } from "./gpu_driver_api.ts";
import { cloudletPoolApi, networkApi, operatorCodeApi, resTagTableApi } from "./operator_apis.ts";
import { organizationApi } from "./organization_api.ts";
import {
  alertPolicyApi,
  autoProvPolicyApi,
  autoScalePolicyApi,
  trustPolicyApi,
  trustPolicyExceptionApi,
} from "./policy_apis.ts";
import { rateLimitSettingsApi } from "./rate_limit_api.ts";
import { settingsApi } from "./settings_api.ts";
import { vmPoolApi } from "./vm_pool_api.ts";

export { movePolicies } from "./policy_apis.ts";

/** Serves the objects that live in the region store alone. */
export function serveCatalog(
  serve: <S extends Service>(service: S, api: (context: ApiContext) => Handlers<S>) => void,
): void {
  serve(SettingsApi, settingsApi);
  serve(FlavorApi, flavorApi);
  serve(OperatorCodeApi, operatorCodeApi);
  serve(ResTagTableApi, resTagTableApi);
  serve(RateLimitSettingsApi, rateLimitSettingsApi);
  serve(CloudletPoolApi, cloudletPoolApi);
  serve(NetworkApi, networkApi);
  serve(AutoProvPolicyApi, autoProvPolicyApi);
  serve(AutoScalePolicyApi, autoScalePolicyApi);
  serve(AlertPolicyApi, alertPolicyApi);
  serve(TrustPolicyApi, trustPolicyApi);
  serve(TrustPolicyExceptionApi, trustPolicyExceptionApi);
  serve(VMPoolApi, vmPoolApi);
  serve(GPUDriverApi, gpuDriverApi);
  serve(OrganizationApi, organizationApi);
}
