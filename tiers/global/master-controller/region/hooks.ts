import { Alert, type AppInst, AppInstKind, Cloudlet, enumText, PlatformType } from "../../../../shared/schema/mod.ts";
import { authorizeShow, type Visibility } from "./authorize.ts";
import type { Core } from "../core.ts";
import type { Session } from "../auth/session.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { findRecord, type RecordValues } from "../model/record.ts";
import { ORGANIZATIONS } from "../model/types.ts";
import type { ControllerAnswer } from "./call.ts";
import { explanationAnswer, latencyAnswer } from "./matching_engines.ts";
import type { RegionMethod } from "./methods.ts";
import { authorizeBuildUrl, driverVisibility, publicDriver } from "./gpu_drivers.ts";
import { authorizeException, exceptionOfPool, exceptionVisibility } from "./trust_policy_exceptions.ts";

/** What a hook knows of the call. */
export interface HookCall {
  readonly core: Core;
  readonly session: Session;
  readonly target: RegionMethod;
  /** Row of the organization that the call concerns. */
  readonly organization?: RecordValues;
}

/**
 * Rules of mc spec 4 that the schema cannot express, by method. Everything else about regional calls is generic.
 */
export interface Hooks {
  /** Replaces the generic decision of who may change something. @throws {ApiError} */
  authorize?(call: HookCall, request: object): Promise<void>;
  /** Checks a request after the generic rules. @throws {ApiError} */
  check?(call: HookCall, request: object): Promise<void> | void;
  /** Replaces the generic decision of what a show may see. */
  visibility?(call: HookCall, request: object): Visibility;
  /** Puts the answers of all controllers of a region together, where one after the other would not do. @throws {ApiError} */
  combine?(region: string, answers: readonly ControllerAnswer[]): Iterable<object>;
  /** What the caller sees of an object of an organization that is not among the visible; undefined: nothing. */
  reduce?(call: HookCall, object: object): object | undefined;
}

const HOOKS: Readonly<Record<string, Hooks>> = {
  CreateCloudlet: { check: checkCloudlet },
  UpdateCloudlet: { check: checkAlliance },
  ShowCloudlet: { visibility: cloudletVisibility, reduce: reduceCloudlet },
  CreateAppInst: { check: checkAppInstOrganizations },
  ShowGPUDriver: { visibility: driverVisibility, reduce: publicDriver },
  GetGPUDriverBuildURL: { authorize: authorizeBuildUrl },
  UpdateTrustPolicyException: { authorize: authorizeException },
  ShowTrustPolicyException: { visibility: exceptionVisibility, reduce: exceptionOfPool },
  ShowAlert: { reduce: reduceAlert },
  RequestAppInstLatency: { combine: latencyAnswer },
  ExplainMatch: { combine: explanationAnswer },
};

/** The hooks of a method; empty when it has none. */
export function hooksOf(methodName: string): Hooks {
  return HOOKS[methodName] ?? {};
}

async function checkCloudlet(call: HookCall, request: object): Promise<void> {
  const { key, platformType } = request as Cloudlet;
  if (call.organization?.EdgeboxOnly === true && platformType !== PlatformType.PLATFORM_TYPE_EDGEBOX) {
    throw badRequest(
      `Organization ${key.organization} can only create EDGEBOX cloudlets, not ${
        enumText(PlatformType, platformType)
      }; an administrator lifts this: mcctl restrictedupdateorg name=<org> edgeboxonly=false (restricted/org/update)`,
    );
  }
  await checkAlliance(call, request);
}

async function checkAlliance({ core }: HookCall, request: object): Promise<void> {
  for (const name of (request as Cloudlet).allianceOrgs) {
    const row = await findRecord(core.database, ORGANIZATIONS, name);
    if (row?.Name !== name || row.Type !== "operator") throw badRequest(`Alliance org ${name} not found`);
  }
}

/** Developers see all cloudlets, as none belongs to a pool; operators see their own. */
function cloudletVisibility(call: HookCall, request: object): Visibility {
  const { grants } = call.session;
  if (!grants.belongsTo("developer")) return authorizeShow(call.session, call.target, request);
  return { organizations: grants.organizations("cloudlets", "view") };
}

/** What others than the owner see of a cloudlet (mc spec 4.3). */
function reduceCloudlet({ session }: HookCall, object: object): object | undefined {
  if (!session.grants.belongsTo("developer")) return undefined;
  const { key, location, state, ipSupport, numDynamicIps, maintenanceState, platformType } = object as Cloudlet;
  return Cloudlet.create({ key, location, state, ipSupport, numDynamicIps, maintenanceState, platformType });
}

/** The cluster must belong to the app's organization, or to the platform for one made by itself. */
function checkAppInstOrganizations({ core }: HookCall, request: object): void {
  const { key } = request as AppInst;
  const cluster = key.clusterInstKey.organization;
  if (cluster === "" || cluster === AppInstKind.owner(request as AppInst) || cluster === core.settings.platformOrg) {
    return;
  }
  throw forbidden();
}

/** Alerts that are there for the platform itself are nobody else's concern (mc spec 6.3). */
const EXTERNAL_ALERTS: ReadonlySet<string> = new Set([
  "AppInstDown",
  "CloudletDown",
  "CloudletResourceUsage",
  "ClusterSvcAppInstFailure",
]);

/** Labels that say how an alert came to be. */
const INTERNAL_LABELS: readonly string[] = ["instance", "job", "type"];

/** What others than administrators see of an alert: those of organizations in which they may view alerts. */
function reduceAlert({ session }: HookCall, object: object): object | undefined {
  const alert = object as Alert;
  const { alertname = "", type, scope, cloudletorg, apporg } = alert.labels;
  if (!EXTERNAL_ALERTS.has(alertname) && type !== "UserDefined") return undefined;
  const owner = (scope === "Cloudlet" ? cloudletorg : apporg) ?? "";
  if (owner === "" || !session.grants.allows(owner, "alert", "view")) return undefined;
  const labels = Object.entries(alert.labels).filter(([name]) => !INTERNAL_LABELS.includes(name));
  return Alert.create({ ...alert, labels: Object.fromEntries(labels) });
}
