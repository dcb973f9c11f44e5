import { AppInstKey, CloudletKey } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import { readFields } from "../http/json_body.ts";
import type { AuthCall, AuthRoute } from "../http/route.ts";
import { authorizeAppMetrics, authorizeCloudletMetrics } from "./authorize.ts";
import { ask, type Question } from "./question.ts";
import { COMMON, readKey, requireRegion } from "./read.ts";
import { type Range, readRange } from "./range.ts";

/** How often matching engines tell of calls, and of event streams, by default, milliseconds. */
const API_INTERVAL_MS = 30_000;
const EDGE_INTERVAL_MS = 3_600_000;

const METHODS: readonly string[] = ["RegisterClient", "FindCloudlet", "PlatformFindCloudlet", "VerifyLocation"];
/** They find no cloudlet that one could ask about. */
const WITHOUT_CLOUDLET: readonly string[] = ["RegisterClient", "VerifyLocation"];

const KEY_TAGS = ["apporg", "app", "ver", "cluster", "clusterorg", "cloudlet", "cloudletorg"] as const;
const BUCKETS = ["0s", "5ms", "10ms", "25ms", "50ms", "100ms"] as const;

/** What devices do, as the matching engines count it (mc spec 1.9). */
export const clientUsageRoutes: readonly AuthRoute[] = [
  { path: "metrics/clientapiusage", reading: true, summary: "Calls of devices, by app and method", handle: apiUsage },
  {
    path: "metrics/clientappusage",
    reading: true,
    summary: "Latencies and sessions of an app's devices",
    handle: appUsage,
  },
  {
    path: "metrics/clientcloudletusage",
    reading: true,
    summary: "Latencies and sessions of the devices on a cloudlet",
    handle: cloudletUsage,
  },
];

async function apiUsage(call: AuthCall) {
  const fields = readFields(call.body, {
    ...COMMON,
    appinst: "object",
    method: "string",
    dmecloudlet: "string",
    dmecloudletorg: "string",
  });
  const region = requireRegion(call, fields.region);
  requireSelector(fields.selector, ["api"]);
  const { appKey, clusterInstKey: { cloudletKey } } = readKey(AppInstKey, "appinst", fields.appinst, call.body);
  const { method = "" } = fields;
  if (method !== "" && !METHODS.includes(method)) {
    throw badRequest(`DME method is invalid, must be one of: ${METHODS.join(", ")}`);
  }
  const aboutCloudlet = cloudletKey.name !== "" || cloudletKey.organization !== "";
  if (aboutCloudlet && WITHOUT_CLOUDLET.includes(method)) {
    throw badRequest(`Cloudlet and Cloudlet org can not be specified for ${method}`);
  }
  const confined = await authorizeAppMetrics(call, region, appKey, cloudletKey);
  const cloudlets = confined ?? (cloudletKey.name === "" ? undefined : [cloudletKey.name]);
  return await ask(call, region, [{
    database: "metrics",
    measurement: "dme-api",
    columns: ["reqs", "errs", "foundCloudlet", "foundOperator"].map((field) => ({ field, aggregate: "last" })),
    filters: {
      apporg: appKey.organization,
      app: appKey.name,
      ver: appKey.version,
      method,
      cloudlet: fields.dmecloudlet,
      cloudletorg: fields.dmecloudletorg,
    },
    groupBy: ["apporg", "app", "ver", "cloudletorg", "cloudlet", "dmeId", "method"],
    range: readRange(fields, call.core.clock.now(), API_INTERVAL_MS),
    fill: true,
    keep: ({ foundCloudlet, foundOperator }) =>
      (cloudlets === undefined || cloudlets.includes(String(foundCloudlet))) &&
      (cloudletKey.organization === "" || foundOperator === cloudletKey.organization),
  }]);
}

const DEVICE_FIELDS = {
  devicecarrier: "string",
  datanetworktype: "string",
  devicemodel: "string",
  deviceos: "string",
  signalstrength: "string",
  locationtile: "string",
} as const;

type DeviceFields = { [K in keyof typeof DEVICE_FIELDS]?: string };

async function appUsage(call: AuthCall) {
  const fields = readFields(call.body, { ...COMMON, ...DEVICE_FIELDS, appinst: "object" });
  const region = requireRegion(call, fields.region);
  const selector = requireSelector(fields.selector, ["latency", "deviceinfo"]);
  if (selector === "latency") refuseFilters(selector, fields, ["deviceos", "devicemodel", "devicecarrier"]);
  const { appKey, clusterInstKey } = readKey(AppInstKey, "appinst", fields.appinst, call.body);
  const { clusterKey, cloudletKey, organization } = clusterInstKey;
  const confined = await authorizeAppMetrics(call, region, appKey, cloudletKey);
  const filters = {
    apporg: appKey.organization,
    app: appKey.name,
    ver: appKey.version,
    cluster: clusterKey.name,
    clusterorg: organization,
    cloudlet: confined ?? cloudletKey.name,
    cloudletorg: cloudletKey.organization,
    ...deviceFilters(fields),
  };
  const tags = selector === "latency"
    ? ["locationtile", "datanetworktype"]
    : ["deviceos", "devicemodel", "devicecarrier", "locationtile"];
  const range = readRange(fields, call.core.clock.now(), EDGE_INTERVAL_MS);
  return await ask(call, region, [
    edgeQuestion(selector, filters, [...KEY_TAGS, ...tags], range, fields.signalstrength),
  ]);
}

async function cloudletUsage(call: AuthCall) {
  const fields = readFields(call.body, { ...COMMON, ...DEVICE_FIELDS, cloudlet: "object" });
  const region = requireRegion(call, fields.region);
  const selector = requireSelector(fields.selector, ["latency", "deviceinfo"]);
  refuseFilters(selector, fields, selector === "latency" ? ["deviceos", "devicemodel"] : ["datanetworktype"]);
  const key = readKey(CloudletKey, "cloudlet", fields.cloudlet, call.body);
  authorizeCloudletMetrics(call, key.organization);
  const filters = { cloudlet: key.name, cloudletorg: key.organization, ...deviceFilters(fields) };
  const tags = selector === "latency"
    ? ["locationtile", "datanetworktype", "devicecarrier"]
    : ["deviceos", "devicemodel", "devicecarrier", "locationtile"];
  const range = readRange(fields, call.core.clock.now(), EDGE_INTERVAL_MS);
  const groups = ["cloudlet", "cloudletorg", ...tags];
  return await ask(call, region, [edgeQuestion(selector, filters, groups, range, fields.signalstrength)]);
}

function edgeQuestion(
  selector: string,
  filters: Question["filters"],
  groupBy: readonly string[],
  range: Range,
  signalStrength: string | undefined,
): Question {
  const common = { database: "edgeevents_metrics", filters, groupBy, range };
  const keep = signalStrength === undefined || range.windowMs !== undefined
    ? undefined
    : (row: Readonly<Record<string, unknown>>) => String(row["signalstrength"]) === signalStrength;
  // What is filtered by must be among the columns.
  const signal = keep === undefined ? [] : [{ field: "signalstrength", aggregate: "last" }];
  if (selector === "deviceinfo") {
    const columns = [{ field: "numsessions", aggregate: "sum" }, ...signal];
    return { ...common, measurement: "device-metric", columns, keep };
  }
  const columns = [
    ...BUCKETS.map((field) => ({ field, aggregate: "sum" })),
    { field: "max", aggregate: "max" },
    { field: "min", aggregate: "min" },
    { field: "avg", aggregate: "mean" },
    { field: "variance", aggregate: "mean" },
    { field: "stddev", aggregate: "mean" },
    { field: "numsamples", aggregate: "sum" },
    ...signal,
  ];
  return { ...common, measurement: "latency-metric", columns, keep };
}

/** A question of devices names exactly one selector. */
function requireSelector(selector: string | undefined, known: readonly string[]): string {
  if (selector !== undefined && known.includes(selector)) return selector;
  throw badRequest(
    `Provided selector ${JSON.stringify(selector ?? "")} is not valid, must be one of: ${known.join(", ")}`,
  );
}

function refuseFilters(selector: string, fields: DeviceFields, names: readonly (keyof DeviceFields)[]): void {
  const bad = names.filter((name) => fields[name] !== undefined && fields[name] !== "");
  if (bad.length > 0) throw badRequest(`Cannot specify ${bad.join(", ")} for selector ${selector}`);
}

function deviceFilters(fields: DeviceFields): Question["filters"] {
  const { devicecarrier, datanetworktype, devicemodel, deviceos, locationtile } = fields;
  if (locationtile !== undefined && locationtile !== "" && !/^[0-9-][0-9_.,-]+$/.test(locationtile)) {
    throw badRequest("Invalid locationtile passed in");
  }
  return { devicecarrier, datanetworktype, devicemodel, deviceos, locationtile };
}
