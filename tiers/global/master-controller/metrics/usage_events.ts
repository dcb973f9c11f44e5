import { AppInstKey, CloudletKey, ClusterInstKey } from "../../../../shared/schema/mod.ts";
import { readFields } from "../http/json_body.ts";
import type { AuthCall, AuthRoute } from "../http/route.ts";
import { authorizeAppMetrics, authorizeCloudletMetrics, authorizeDeveloperMetrics } from "./authorize.ts";
import { ask, type Question } from "./question.ts";
import { COMMON, readKey, requireRegion } from "./read.ts";
import { readRange } from "./range.ts";

/** What happened to instances, clusters and cloudlets, for those who bill (mc spec 1.10). */
export const usageEventRoutes: readonly AuthRoute[] = [
  { path: "events/app", reading: true, summary: "What happened to app instances", handle: appEvents },
  { path: "events/cluster", reading: true, summary: "What happened to clusters", handle: clusterEvents },
  { path: "events/cloudlet", reading: true, summary: "What happened to cloudlets", handle: cloudletEvents },
];

async function appEvents(call: AuthCall) {
  const fields = readFields(call.body, { ...COMMON, appinst: "object" });
  const region = requireRegion(call, fields.region);
  const { appKey, clusterInstKey } = readKey(AppInstKey, "appinst", fields.appinst, call.body);
  const { clusterKey, cloudletKey, organization } = clusterInstKey;
  const confined = await authorizeAppMetrics(call, region, appKey, cloudletKey);
  return await ask(call, region, [{
    ...eventsOf("appinst", ["cloudletorg", "flavor", "status", "event"], cloudletKey.organization),
    filters: {
      apporg: appKey.organization,
      app: appKey.name,
      ver: appKey.version,
      cluster: clusterKey.name,
      clusterorg: organization,
      cloudlet: confined ?? cloudletKey.name,
    },
    groupBy: ["app", "apporg", "ver", "cluster", "clusterorg", "cloudlet"],
    range: readRange(fields, call.core.clock.now(), 0),
  }]);
}

async function clusterEvents(call: AuthCall) {
  const fields = readFields(call.body, { ...COMMON, clusterinst: "object" });
  const region = requireRegion(call, fields.region);
  const key = readKey(ClusterInstKey, "clusterinst", fields.clusterinst, call.body);
  const confined = await authorizeDeveloperMetrics(call, {
    region,
    developer: key.organization,
    operator: key.cloudletKey.organization,
    cloudlet: key.cloudletKey.name,
    what: "Cluster",
    resource: "clusteranalytics",
  });
  return await ask(call, region, [{
    ...eventsOf(
      "clusterinst",
      ["cloudletorg", "flavor", "vcpu", "ram", "disk", "nodecount", "status", "event"],
      key.cloudletKey.organization,
    ),
    // A reserved cluster is shown to whoever has it.
    filters: { org: key.organization, cluster: key.clusterKey.name, cloudlet: confined ?? key.cloudletKey.name },
    groupBy: ["cluster", "clusterorg", "cloudlet", "org", "reservedBy"],
    range: readRange(fields, call.core.clock.now(), 0),
  }]);
}

async function cloudletEvents(call: AuthCall) {
  const fields = readFields(call.body, { ...COMMON, cloudlet: "object" });
  const region = requireRegion(call, fields.region);
  const key = readKey(CloudletKey, "cloudlet", fields.cloudlet, call.body);
  authorizeCloudletMetrics(call, key.organization);
  return await ask(call, region, [{
    ...eventsOf("cloudlet", ["cloudletorg", "status", "event"], key.organization),
    filters: { cloudlet: key.name },
    groupBy: ["cloudlet"],
    range: readRange(fields, call.core.clock.now(), 0),
  }]);
}

function eventsOf(
  measurement: string,
  columns: readonly string[],
  cloudletOrganization: string,
): Pick<Question, "database" | "measurement" | "columns" | "keep"> {
  return {
    database: "events",
    measurement,
    columns: columns.map((field) => ({ field, aggregate: "last" })),
    keep: ({ cloudletorg }) => cloudletOrganization === "" || cloudletorg === cloudletOrganization,
  };
}
