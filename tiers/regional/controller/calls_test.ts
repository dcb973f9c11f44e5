// The calls that people and their scripts know from the original: none may be missing, stream otherwise, or ask for another permission.
import assert from "node:assert/strict";
import { Result, services } from "../../../shared/schema/mod.ts";

/** What the original asks of a caller: a resource of the master controller's roles and an action, or nothing from outside. */
type Permission = `${string} ${"V" | "M"}` | "internal" | "open";

interface Group {
  /** `A|B Noun` stands for ANoun and BNoun. */
  readonly calls: string;
  readonly permission: Permission;
  /** Whether the call streams lines of progress. */
  readonly progress?: boolean;
}

const GROUPS: readonly Group[] = [
  // Catalog and configuration
  { calls: "Create|Delete|Update Flavor", permission: "flavors M" },
  { calls: "Show Flavor", permission: "open" },
  { calls: "Add|Remove FlavorRes", permission: "flavors M" },
  { calls: "Create|Delete OperatorCode", permission: "cloudlets M" },
  { calls: "Show OperatorCode", permission: "cloudlets V" },
  { calls: "Create|Delete|Update ResTagTable", permission: "restagtbl M" },
  { calls: "Show ResTagTable", permission: "restagtbl V" },
  { calls: "GetResTagTable|AddResTag|RemoveResTag ", permission: "restagtbl M" },
  { calls: "Update|Reset Settings", permission: "config M" },
  { calls: "Show Settings", permission: "config V" },
  { calls: "Show RateLimitSettings", permission: "config V" },
  { calls: "Create|Update|Delete FlowRateLimitSettings", permission: "config M" },
  { calls: "Show FlowRateLimitSettings", permission: "config V" },
  { calls: "Create|Update|Delete MaxReqsRateLimitSettings", permission: "config M" },
  { calls: "Show MaxReqsRateLimitSettings", permission: "config V" },
  // Cloudlets
  { calls: "Create|Update|Delete Cloudlet", permission: "cloudlets M", progress: true },
  { calls: "Show Cloudlet", permission: "cloudlets V" },
  { calls: "Get CloudletManifest", permission: "cloudlets M" },
  { calls: "Get CloudletProps", permission: "cloudlets V" },
  { calls: "Get CloudletResourceQuotaProps", permission: "cloudlets V" },
  { calls: "Get CloudletResourceUsage", permission: "cloudletanalytics V" },
  { calls: "Add|Remove CloudletResMapping", permission: "cloudlets M" },
  { calls: "Add|Remove CloudletAllianceOrg", permission: "cloudlets M" },
  { calls: "Find FlavorMatch", permission: "cloudlets V" },
  { calls: "Show FlavorsForCloudlet", permission: "open" },
  { calls: "Get OrganizationsOnCloudlet", permission: "cloudlets V" },
  { calls: "Revoke|Generate AccessKey", permission: "cloudlets M" },
  { calls: "Get CloudletGPUDriverLicenseConfig", permission: "cloudlets M" },
  { calls: "PlatformDelete Cloudlet", permission: "internal", progress: true },
  { calls: "Show CloudletInfo", permission: "cloudlets V" },
  { calls: "Inject|Evict CloudletInfo", permission: "cloudlets M" },
  { calls: "Create|Delete|Update GPUDriver", permission: "cloudlets M", progress: true },
  { calls: "Show GPUDriver", permission: "cloudletanalytics V" },
  { calls: "Add|Remove GPUDriverBuild", permission: "cloudlets M", progress: true },
  { calls: "Get GPUDriverBuildURL", permission: "cloudlets V" },
  { calls: "Get GPUDriverLicenseConfig", permission: "cloudlets V" },
  { calls: "Create|Update|Delete CloudletPool", permission: "cloudletpools M" },
  { calls: "Show CloudletPool", permission: "cloudletpools V" },
  { calls: "Add|Remove CloudletPoolMember", permission: "cloudletpools M" },
  { calls: "Create|Update|Delete Network", permission: "cloudlets M", progress: true },
  { calls: "Show Network", permission: "cloudlets V" },
  { calls: "Create|Update|Delete VMPool", permission: "cloudlets M" },
  { calls: "Show VMPool", permission: "cloudletanalytics V" },
  { calls: "Add|Remove VMPoolMember", permission: "cloudlets M" },
  { calls: "Create|Update|Delete TrustPolicy", permission: "cloudlets M", progress: true },
  { calls: "Show TrustPolicy", permission: "cloudlets V" },
  // Developers
  { calls: "Create|Delete|Update App", permission: "apps M" },
  { calls: "Show App", permission: "apps V" },
  { calls: "Add|Remove AppAutoProvPolicy", permission: "apps M" },
  { calls: "Add|Remove AppAlertPolicy", permission: "apps M" },
  { calls: "Show CloudletsForAppDeployment", permission: "cloudlets V" },
  { calls: "Create|Delete|Update|Refresh AppInst", permission: "appinsts M", progress: true },
  { calls: "Show AppInst", permission: "appinsts V" },
  { calls: "Show AppInstInfo", permission: "internal" },
  { calls: "Request AppInstLatency", permission: "appinsts M" },
  { calls: "Create|Delete|Update ClusterInst", permission: "clusterinsts M", progress: true },
  { calls: "Show ClusterInst", permission: "clusterinsts V" },
  { calls: "Delete IdleReservableClusterInsts", permission: "clusterinsts M" },
  { calls: "Show ClusterInstInfo", permission: "internal" },
  { calls: "Create|Delete|Update AutoProvPolicy", permission: "developerpolicy M" },
  { calls: "Show AutoProvPolicy", permission: "developerpolicy V" },
  { calls: "Add|Remove AutoProvPolicyCloudlet", permission: "developerpolicy M" },
  { calls: "Create|Delete|Update AutoScalePolicy", permission: "developerpolicy M" },
  { calls: "Show AutoScalePolicy", permission: "developerpolicy V" },
  { calls: "Create|Delete|Update AlertPolicy", permission: "developerpolicy M" },
  { calls: "Show AlertPolicy", permission: "developerpolicy V" },
  { calls: "Create|Delete|Update TrustPolicyException", permission: "apps M" },
  { calls: "Show TrustPolicyException", permission: "apps V" },
  { calls: "Show AppInstClient", permission: "appanalytics V" },
  { calls: "Stream AppInstClientsLocal", permission: "internal" },
  { calls: "Run Command", permission: "appinsts M" },
  { calls: "Show Logs", permission: "appinsts V" },
  { calls: "Run Console", permission: "appinsts M" },
  { calls: "Access Cloudlet", permission: "cloudlets M" },
  { calls: "Send LocalRequest", permission: "internal" },
  { calls: "Stream AppInst", permission: "appinsts V", progress: true },
  { calls: "Stream ClusterInst", permission: "clusterinsts V", progress: true },
  { calls: "Stream Cloudlet", permission: "cloudlets V", progress: true },
  { calls: "Stream GPUDriver", permission: "cloudlets V", progress: true },
  { calls: "InUse Organization", permission: "internal" },
  // Operations
  { calls: "Show Alert", permission: "alert V" },
  { calls: "Inject|Evict Device", permission: "config M" },
  { calls: "Show Device", permission: "config V" },
  { calls: "Show DeviceReport", permission: "config V" },
  { calls: "Show Node", permission: "config V" },
  { calls: "Show Controller", permission: "internal" },
  { calls: "EnableDebugLevels|DisableDebugLevels|RunDebug ", permission: "config M" },
  { calls: "Show DebugLevels", permission: "config V" },
  { calls: "Show CloudletRefs", permission: "internal" },
  { calls: "Show ClusterRefs", permission: "internal" },
  { calls: "Show AppInstRefs", permission: "internal" },
];

/** Calls of the original that are not there, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  SendLocalRequest: "went between controllers for the relay for shells",
  PlatformDeleteCloudlet: "went between controllers, which all do such work themselves now",
  StreamAppInstClientsLocal: "went between controllers, of which any answers a call whole now",
  ShowAppInstInfo: "what sites report of instances is merged into the instance and not kept beside it",
  ShowClusterInstInfo: "what sites report of clusters is merged into the cluster and not kept beside it",
};

/** Calls that ask for more or less than in the original, and why. */
const OTHERWISE: Readonly<Record<string, { permission: Permission; why: string }>> = {
  ShowGPUDriver: { permission: "cloudlets V", why: "whoever may see cloudlets sees what drives their GPUs" },
  ShowCloudletInfo: {
    permission: "cloudletanalytics V",
    why: "what an operator's site says of itself is the operator's",
  },
  GetGPUDriverLicenseConfig: {
    permission: "cloudletanalytics V",
    why: "licenses are for operators, not for developers",
  },
};

function expand({ calls }: Group): string[] {
  const [verbs, noun] = calls.split(" ") as [string, string];
  return verbs.split("|").map((verb) => verb === "InUse" ? `${noun}InUse` : verb + noun);
}

const METHODS = new Map(
  services.filter(({ name }) => name.startsWith("archipelago.")).flatMap((service) =>
    Object.values(service.methods).map((method) => [method.name, method] as const)
  ),
);

for (const group of GROUPS) {
  Deno.test(`calls of the region: ${group.calls.trim()}`, () => {
    for (const name of expand(group)) {
      const method = METHODS.get(name);
      if (method === undefined) {
        assert.ok(name in ABSENT, `${name} is missing`);
        continue;
      }
      assert.ok(!(name in ABSENT), `${name} is there, and not to be listed as absent`);
      const streamsProgress = method.responseStream && method.output.descriptor.name === Result.descriptor.name;
      assert.equal(streamsProgress, group.progress ?? false, `${name}: streams progress`);
      assert.equal(permissionOf(name), OTHERWISE[name]?.permission ?? group.permission, name);
    }
  });
}

function permissionOf(name: string): Permission {
  const { api } = METHODS.get(name)!;
  if (api === undefined || api.internal) return "internal";
  if (api.open) return "open";
  return `${api.resource} ${api.action === "MANAGE" ? "M" : "V"}`;
}

Deno.test("calls of the region: what is listed as absent or otherwise is a call of the original", () => {
  const known = new Set(GROUPS.flatMap(expand));
  for (const name of [...Object.keys(ABSENT), ...Object.keys(OTHERWISE)]) assert.ok(known.has(name), name);
});
