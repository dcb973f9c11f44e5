import { fromJson, issueText, JsonError, type MessageType } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import type { JsonBody } from "../http/json_body.ts";
import type { AuthCall } from "../http/route.ts";

/** Keys of the body that all metrics routes take. */
export const COMMON = {
  region: "string",
  selector: "string",
  starttime: "time",
  endtime: "time",
  startage: "string",
  endage: "string",
  numsamples: "integer",
  limit: "integer",
} as const;

/** The region that a question names, which goes into the audit. @throws {ApiError} 400 without one */
export function requireRegion(call: AuthCall, region: string | undefined): string {
  if (region === undefined || region === "") throw badRequest("No region specified");
  call.audit.region = region;
  return region;
}

/** The key that a question is about; what is empty in it matches all. @throws {ApiError} 400 with all its faults */
export function readKey<T>(type: MessageType<T>, name: string, value: unknown, body: JsonBody): T {
  try {
    return fromJson(type, value ?? {});
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const faults = error.issues.map((issue) => {
      const path = issue.path === "" ? name : `${name}.${issue.path}`;
      return `${issueText({ ...issue, path })}, offset ${body.offsetOf(path)}`;
    });
    throw badRequest(`Invalid JSON data: Unmarshal error: ${faults.join("; ")}`);
  }
}
