import { ANSWER_MS } from "../../../../shared/exec/mod.ts";
import type { CallContext, Handlers } from "../../../../shared/rpc/mod.ts";
import type { RandomSource } from "../../../../shared/runtime/mod.ts";
import {
  AppInst,
  AppInstKind,
  AppKind,
  CloudletInfoKind,
  CloudletKind,
  ControllerKind,
  dme,
  type ExecApi,
  ExecRequest,
  requiredIssues,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import type { ExecSites } from "../exec/sites.ts";
import { failedPrecondition, notFound, refuse } from "../faults.ts";
import { checkExec, type ExecPurpose, unfitDeployment } from "../rules/exec.ts";
import { Issues } from "../rules/issues.ts";
import { completeKey } from "./app_inst/key.ts";

/** What the calls need beside the region. */
export interface ExecParts {
  readonly sites: ExecSites;
  /** Relay for shells as HOST:PORT; empty: there is none. */
  readonly edgeTurnAddr: string;
  /** This controller, as reports of sites name it. */
  readonly controller: string;
  readonly random: RandomSource;
}

const NS_PER_MS = 1_000_000;
const TIME_DIGITS = 12;

/** Handlers of ExecApi. */
export function execApi(context: ApiContext, parts: ExecParts): Handlers<typeof ExecApi> {
  const { region: { cache }, clock, log } = context;
  const { sites, edgeTurnAddr, controller, random } = parts;

  /** Ids sort by the millisecond in which they were made. */
  const newId = () => `${clock.now().toString(16).padStart(TIME_DIGITS, "0")}-${random.uuid()}`;

  /** The request as the site gets it, and the site's key string. Throws all that is wrong with it. */
  function admit(purpose: ExecPurpose, given: ExecRequest): { request: ExecRequest; cloudlet: string } {
    const request = ExecRequest.create({
      ...given,
      offer: newId(),
      answer: "",
      err: "",
      accessUrl: "",
      timeout: ANSWER_MS * NS_PER_MS,
      edgeTurnAddr,
    });
    const { cloudletKey } = request.appInstKey.clusterInstKey;
    const cloudlet = CloudletKind.keyString(cloudletKey);
    const issues = new Issues();
    if (purpose === "cloudlet") {
      checkExec(purpose, request, undefined, issues, clock.now());
      issues.list.push(...requiredIssues(CloudletKind.keyMessage, cloudletKey));
      refuse(issues.list);
      if (!cache.get(CloudletKind, cloudlet)) throw notFound(CloudletKind, cloudlet);
      return { request, cloudlet };
    }
    const instance = AppInst.create({ key: request.appInstKey });
    completeKey(context, instance);
    request.appInstKey = instance.key;
    const app = cache.get(AppKind, AppKind.keyString(instance.key.appKey));
    checkExec(purpose, request, app?.deployment, issues, clock.now());
    issues.list.push(...requiredIssues(AppInstKind.keyMessage, instance.key));
    refuse(issues.list);
    const key = AppInstKind.keyString(instance.key);
    if (!app || !cache.get(AppInstKind, key)) throw notFound(AppInstKind, key);
    const unfit = unfitDeployment(purpose, app.deployment);
    if (unfit !== undefined) throw failedPrecondition(unfit);
    return { request, cloudlet };
  }

  /** Who did what where; never what came of it. */
  function audit(call: CallContext, { cmd, containerId, ...request }: ExecRequest, cloudlet: string): void {
    log.info("exec", {
      method: call.method,
      user: call.metadata.get("x-archipelago-user") ?? "",
      instance: request.appInstKey.appKey.name === "" ? "" : AppInstKind.keyString(request.appInstKey),
      cloudlet,
      container: containerId,
      command: cmd?.command ?? "",
      id: request.offer,
    });
  }

  async function byRelay(purpose: ExecPurpose, given: ExecRequest, call: CallContext): Promise<ExecRequest> {
    const { request, cloudlet } = admit(purpose, given);
    if (edgeTurnAddr === "") {
      throw failedPrecondition(
        "EdgeTurn address must be configured (--edge-turn-addr of the controller); StreamCommand and StreamLogs need none",
      );
    }
    if (purpose !== "logs") audit(call, request, cloudlet);
    return await sites.ask(cloudlet, request, call.signal);
  }

  /** Another controller, which is asked as well, is the one that the site is connected to. */
  function isElsewhere(cloudlet: string): boolean {
    const info = cache.get(CloudletInfoKind, cloudlet);
    if (sites.reaches(cloudlet) || info === undefined || info.controller === controller) return false;
    const isAlive = cache.get(ControllerKind, ControllerKind.keyString({ addr: info.controller })) !== undefined;
    return isAlive && info.state !== dme.CloudletState.CLOUDLET_STATE_OFFLINE;
  }

  async function* directly(purpose: "command" | "logs", given: ExecRequest, call: CallContext) {
    const { request, cloudlet } = admit(purpose, given);
    if (isElsewhere(cloudlet)) return;
    // What a site does is told by one of the two.
    if (purpose === "command") {
      audit(call, request, cloudlet);
      yield* sites.output(cloudlet, ExecRequest.create({ ...request, log: undefined }), call.signal);
    } else yield* sites.output(cloudlet, ExecRequest.create({ ...request, cmd: undefined }), call.signal);
  }

  return {
    runCommand: (request, call) => byRelay("command", request, call),
    showLogs: (request, call) => byRelay("logs", request, call),
    runConsole: (request, call) => byRelay("console", request, call),
    accessCloudlet: (request, call) => byRelay("cloudlet", request, call),
    streamCommand: (request, call) => directly("command", request, call),
    streamLogs: (request, call) => directly("logs", request, call),
  };
}
