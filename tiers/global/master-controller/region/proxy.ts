import type { Channel } from "../../../../shared/rpc/mod.ts";
import {
  continueToken,
  fromJson,
  getPath,
  isJsonObject,
  issueText,
  JsonError,
  type JsonValue,
  maskFromJson,
  MAX_PAGE_OBJECTS,
  RequestOption,
  Result,
  setPath,
  toJson,
} from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import type { JsonBody } from "../http/json_body.ts";
import { json, message, type Reply } from "../http/reply.ts";
import type { AuthCall, AuthRoute } from "../http/route.ts";
import type { RecordValues } from "../model/record.ts";
import { authorizeChange, authorizeShow, requireAdminToOverride } from "./authorize.ts";
import { callEach, gatherEach, regionError } from "./call.ts";
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
  const { region, request, ...options } = readWrapper(call.body, target);
  call.audit.region = region;
  if (target.rules.org !== "") call.audit.org = String(getPath(request, target.rules.org) ?? "");
  const hooks = hooksOf(target.method.name);
  return target.isShow
    ? await show(call, target, hooks, region, request, options)
    : await change(call, target, hooks, region, request, options);
}

async function show(
  call: AuthCall,
  target: RegionMethod,
  hooks: Hooks,
  region: string,
  request: object,
  { limit, continueAt }: WrapperOptions,
): Promise<Reply> {
  const hookCall: HookCall = { core: call.core, session: call.session, target };
  const visibility = hooks.visibility?.(hookCall, request) ?? authorizeShow(call.session, target, request);
  const channels = await channelsFor(call, target, region);
  const caller = {
    ...callerOf(call),
    ...(continueAt !== undefined && { options: { [RequestOption.continueAt]: continueAt } }),
  };
  let next: string | undefined;
  async function* visible(): AsyncIterable<JsonValue> {
    let last: object | undefined;
    let shown = 0;
    try {
      // The page's size counts what the caller sees, so the region is asked for everything and left when that is enough.
      for await (const object of callEach(channels, target.method, request, caller)) {
        const owner = target.rules.org === "" ? "" : String(getPath(object, target.rules.org) ?? "");
        const whole = visibility.organizations === "all" || visibility.organizations.has(owner);
        const seen = whole ? object : hooks.reduce?.(hookCall, object);
        if (seen === undefined) continue;
        if (shown === limit) {
          next = continueToken(target.kind!.keyString(target.kind!.key(last!)));
          return;
        }
        shown++;
        last = object;
        yield toJson(target.method.output, seen);
      }
    } catch (error) {
      throw regionError(region, error);
    }
  }
  return { kind: "stream", items: visible(), tail: () => next === undefined ? undefined : { continue: next } };
}

async function change(
  call: AuthCall,
  target: RegionMethod,
  hooks: Hooks,
  region: string,
  request: object,
  { dryRun }: WrapperOptions,
): Promise<Reply> {
  const hookCall = { core: call.core, session: call.session, target };
  let organization: RecordValues | undefined;
  if (hooks.authorize) await hooks.authorize(hookCall, request);
  else organization = await authorizeChange(call.core.database, call.session, target, request);
  requireAdminToOverride(call.session, request);
  await hooks.check?.({ ...hookCall, organization }, request);
  const channels = await channelsFor(call, target, region);
  async function* replies(): AsyncIterable<object> {
    try {
      const options: Record<string, string> = dryRun ? { [RequestOption.dryRun]: "true" } : {};
      const caller = { ...callerOf(call), options };
      if (hooks.combine) {
        yield* hooks.combine(region, await gatherEach(channels, target.method, request, caller));
      } else yield* callEach(channels, target.method, request, caller);
    } catch (error) {
      throw regionError(region, error);
    }
  }
  if (target.method.responseStream) return { kind: "stream", items: toDocuments(target, replies()) } as const;
  for await (const reply of replies()) return answer(target, reply);
  throw badRequest(`Region ${region} gave no answer`);
}

/** Ways to those who must be asked: one of the controllers, or each. */
async function channelsFor(call: AuthCall, target: RegionMethod, region: string): Promise<readonly Channel[]> {
  const { regions } = call.core;
  return target.rules.eachController ? await regions.eachChannel(region) : [await regions.channel(region)];
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

/** What a wrapper may say beside region and message (beyond the original). */
interface WrapperOptions {
  /** Most objects that a show answers with; the last document then says where to go on. */
  readonly limit?: number;
  readonly continueAt?: string;
  /** Only check and tell. */
  readonly dryRun?: boolean;
}

interface Wrapper extends WrapperOptions {
  readonly region: string;
  readonly request: object;
}

/** Reads `{"region":…,"<message>":{…}}` with its options. @throws {ApiError} 400 with all faults of the message */
function readWrapper(body: JsonBody, target: RegionMethod): Wrapper {
  // Of several answers put together no page begins where another ended.
  const shows = target.isShow && target.kind !== undefined && !target.rules.eachController;
  const changes = target.rules.action === "MANAGE";
  const wrapper: { -readonly [K in keyof WrapperOptions]: WrapperOptions[K] } & { region: string } = { region: "" };
  let content: unknown = {};
  for (const [key, value] of Object.entries(body.value)) {
    const name = key.toLowerCase();
    if (name === "region") wrapper.region = readText(key, value);
    else if (name === target.wrapperKey) content = value ?? {};
    else if (name === "limit" && shows) wrapper.limit = readLimit(key, value);
    else if (name === "continue" && shows) wrapper.continueAt = readText(key, value) || undefined;
    else if (name === "dryrun" && changes) wrapper.dryRun = readBoolean(key, value);
    else {
      const options = shows ? ", limit or continue" : changes ? " or dryrun" : "";
      throw badRequest(
        `Invalid JSON data: field ${key} is not known, expected region and ${target.wrapperKey}${options}`,
      );
    }
  }
  if (wrapper.region === "") throw badRequest("No region specified");
  return { ...wrapper, request: readMessage(target, content, body) };
}

function readText(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw badRequest(`Invalid JSON data: Unmarshal error: field ${key} must be a string`);
}

function readBoolean(key: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw badRequest(`Invalid JSON data: Unmarshal error: field ${key} must be a boolean`);
}

function readLimit(key: string, value: unknown): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_PAGE_OBJECTS) return Number(value);
  throw badRequest(`Invalid JSON data: Unmarshal error: field ${key} must be a number from 1 to ${MAX_PAGE_OBJECTS}`);
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
