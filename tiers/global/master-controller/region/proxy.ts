import {
  fromJson,
  getPath,
  isJsonObject,
  issueText,
  JsonError,
  type JsonValue,
  maskFromJson,
  Result,
  setPath,
  toJson,
} from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import type { JsonBody } from "../http/json_body.ts";
import { json, message, type Reply } from "../http/reply.ts";
import type { AuthCall, AuthRoute } from "../http/route.ts";
import { authorizeChange, authorizeShow } from "./authorize.ts";
import { callRegion, regionError } from "./call.ts";
import { type HookCall, type Hooks, hooksOf } from "./hooks.ts";
import { type RegionMethod, regionMethods } from "./methods.ts";

/** The routes `ctrl/<Rpc>`, all made from the schema (mc spec 1.8). */
export const proxyRoutes: readonly AuthRoute[] = [...regionMethods.values()].map((target) => ({
  path: `ctrl/${target.method.name}`,
  summary: target.method.doc,
  reading: target.rules.action === "VIEW",
  handle: (call) => handle(call, target),
}));

async function handle(call: AuthCall, target: RegionMethod): Promise<Reply> {
  const { region, request } = readWrapper(call.body, target);
  call.audit.region = region;
  if (target.rules.org !== "") call.audit.org = String(getPath(request, target.rules.org) ?? "");
  const hooks = hooksOf(target.method.name);
  return target.isShow
    ? await show(call, target, hooks, region, request)
    : await change(call, target, hooks, region, request);
}

async function show(call: AuthCall, target: RegionMethod, hooks: Hooks, region: string, request: object) {
  const hookCall: HookCall = { core: call.core, session: call.session, target };
  const visibility = hooks.visibility?.(hookCall, request) ?? authorizeShow(call.session, target, request);
  const channel = await call.core.regions.channel(region);
  async function* visible(): AsyncIterable<JsonValue> {
    try {
      for await (const object of callRegion(channel, target.method, request, callerOf(call))) {
        const owner = target.rules.org === "" ? "" : String(getPath(object, target.rules.org) ?? "");
        const whole = visibility.organizations === "all" || visibility.organizations.has(owner);
        const seen = whole ? object : hooks.reduce?.(hookCall, object);
        if (seen !== undefined) yield toJson(target.method.output, seen);
      }
    } catch (error) {
      throw regionError(region, error);
    }
  }
  return { kind: "stream", items: visible() } as const;
}

async function change(call: AuthCall, target: RegionMethod, hooks: Hooks, region: string, request: object) {
  const organization = await authorizeChange(call.core.database, call.session, target, request);
  await hooks.check?.({ core: call.core, session: call.session, target, organization }, request);
  const channel = await call.core.regions.channel(region);
  async function* replies(): AsyncIterable<object> {
    try {
      yield* callRegion(channel, target.method, request, callerOf(call));
    } catch (error) {
      throw regionError(region, error);
    }
  }
  if (target.method.responseStream) return { kind: "stream", items: toDocuments(target, replies()) } as const;
  for await (const reply of replies()) return answer(target, reply);
  throw badRequest(`Region ${region} gave no answer`);
}

async function* toDocuments(target: RegionMethod, replies: AsyncIterable<object>): AsyncIterable<JsonValue> {
  for await (const reply of replies) yield toJson(target.method.output, reply);
}

function answer(target: RegionMethod, reply: object): Reply {
  // A result always has its text, where the generic form leaves an empty one out.
  const isResult = (target.method.output as unknown) === Result;
  return isResult ? message((reply as Result).message) : json(toJson(target.method.output, reply));
}

function callerOf(call: AuthCall): { username: string; signal: AbortSignal } {
  return { username: call.session.username, signal: call.signal };
}

/** Reads `{"region":…,"<message>":{…}}`. @throws {ApiError} 400 with all faults of the message */
function readWrapper(body: JsonBody, target: RegionMethod): { region: string; request: object } {
  let region = "";
  let content: unknown = {};
  for (const [key, value] of Object.entries(body.value)) {
    switch (key.toLowerCase()) {
      case "region":
        if (typeof value !== "string") {
          throw badRequest(`Invalid JSON data: Unmarshal error: field ${key} must be a string`);
        }
        region = value;
        break;
      case target.wrapperKey:
        content = value ?? {};
        break;
      default:
        throw badRequest(`Invalid JSON data: field ${key} is not known, expected region and ${target.wrapperKey}`);
    }
  }
  if (region === "") throw badRequest("No region specified");
  return { region, request: readMessage(target, content, body) };
}

function readMessage(target: RegionMethod, content: unknown, body: JsonBody): object {
  const { input } = target.method;
  try {
    const request = fromJson(input, content);
    if (target.isUpdate && isJsonObject(content)) setPath(request, "fields", maskFromJson(input, content));
    return request;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const faults = error.issues.map((issue) => {
      const path = issue.path === "" ? target.wrapperKey : `${target.wrapperKey}.${issue.path}`;
      return `${issueText({ ...issue, path })}, offset ${body.offsetOf(path)}`;
    });
    throw badRequest(`Invalid JSON data: Unmarshal error: ${faults.join("; ")}`);
  }
}
