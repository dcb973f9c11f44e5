import { type Channel, createClient } from "../../../../shared/rpc/mod.ts";
import {
  AlertPolicyApi,
  AutoProvPolicyApi,
  AutoScalePolicyApi,
  CloudletKeyApi,
  CloudletPoolApi,
  GPUDriverApi,
  NetworkApi,
  OperatorCodeApi,
  OrganizationApi,
  RateLimitSettingsApi,
  ResTagTableApi,
  TrustPolicyApi,
  TrustPolicyExceptionApi,
  VMPoolApi,
} from "../../../../shared/schema/mod.ts";

/** Clients of the APIs of objects that live in the region store alone. */
export function catalogClients(channel: Channel) {
  return {
    operatorCodes: createClient(OperatorCodeApi, channel),
    resTagTables: createClient(ResTagTableApi, channel),
    rateLimits: createClient(RateLimitSettingsApi, channel),
    pools: createClient(CloudletPoolApi, channel),
    networks: createClient(NetworkApi, channel),
    autoProv: createClient(AutoProvPolicyApi, channel),
    autoScale: createClient(AutoScalePolicyApi, channel),
    alertPolicies: createClient(AlertPolicyApi, channel),
    trustPolicies: createClient(TrustPolicyApi, channel),
    exceptions: createClient(TrustPolicyExceptionApi, channel),
    vmPools: createClient(VMPoolApi, channel),
    gpuDrivers: createClient(GPUDriverApi, channel),
    keys: createClient(CloudletKeyApi, channel),
    organizations: createClient(OrganizationApi, channel),
  };
}
