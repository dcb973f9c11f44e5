import type { OperatorContext } from "../../shared/operator/mod.ts";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { errorFields } from "../../shared/telemetry/mod.ts";
import { SECRETS } from "./meta.ts";

const StatusOf = dme.VerifyLocationReply_GPSLocationStatus;

/** What a degree of the location API means (DME specification 4.10). */
const DEGREES: Readonly<Record<number, readonly [status: number, accuracyKm: number]>> = {
  0: [StatusOf.LOC_UNKNOWN, -1],
  1: [StatusOf.LOC_VERIFIED, 2],
  2: [StatusOf.LOC_VERIFIED, 10],
  3: [StatusOf.LOC_VERIFIED, 100],
  4: [StatusOf.LOC_MISMATCH_SAME_COUNTRY, -1],
  5: [StatusOf.LOC_MISMATCH_OTHER_COUNTRY, -1],
  6: [StatusOf.LOC_ROAMING_COUNTRY_MATCH, -1],
  7: [StatusOf.LOC_ROAMING_COUNTRY_MISMATCH, -1],
};

/** VerifyLocation by an operator's location API, which knows by the token which device asks. */
export async function verifyLocation(
  context: OperatorContext,
  verifyUrl: string | undefined,
  timeoutMs: number,
  request: dme.VerifyLocationRequest,
): Promise<dme.VerifyLocationReply> {
  const { tokenServerUri, log } = context;
  if (!verifyUrl) throw invalid("No location API is configured");
  if (tokenServerUri === "") throw invalid("No location token server is configured");
  if (request.verifyLocToken === "") throw invalid("verify_loc_token is missing");
  const { latitude, longitude } = request.gpsLocation!;
  const serviceUrl = new URL(tokenServerUri).searchParams.get("followURL") ?? "";
  try {
    const login = await context.secret(SECRETS.location);
    const response = await context.fetch(verifyUrl, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(login !== undefined && { authorization: `Basic ${btoa(login)}` }),
      },
      body: JSON.stringify({ latitude, longitude, token: request.verifyLocToken, serviceUrl }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      return reply(StatusOf.LOC_ERROR_UNAUTHORIZED, -1);
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      log.warn("Location API refused", { status: response.status });
      return reply(StatusOf.LOC_ERROR_OTHER, -1);
    }
    return statusOf(await response.json());
  } catch (error) {
    log.warn("Location API failed", errorFields(error));
    return reply(StatusOf.LOC_ERROR_OTHER, -1);
  }
}

function statusOf(answer: unknown): dme.VerifyLocationReply {
  const { matchingDegree, message } = (answer ?? {}) as { matchingDegree?: unknown; message?: unknown };
  if (typeof matchingDegree !== "string" && typeof matchingDegree !== "number") {
    return reply(StatusOf.LOC_ERROR_OTHER, -1);
  }
  const degree = Number(matchingDegree);
  if (String(matchingDegree).trim() === "" || !Number.isInteger(degree)) return reply(StatusOf.LOC_ERROR_OTHER, -1);
  if (degree < 0) {
    const unauthorized = String(message ?? "").includes("invalidToken");
    return reply(unauthorized ? StatusOf.LOC_ERROR_UNAUTHORIZED : StatusOf.LOC_ERROR_OTHER, -1);
  }
  return reply(...(DEGREES[degree] ?? [StatusOf.LOC_UNKNOWN, -1] as const));
}

function reply(status: number, accuracyKm: number): dme.VerifyLocationReply {
  return dme.VerifyLocationReply.create({
    gpsLocationStatus: status as dme.VerifyLocationReply_GPSLocationStatus,
    gpsLocationAccuracyKm: accuracyKm,
  });
}

function invalid(message: string): RpcError {
  return new RpcError(Status.INVALID_ARGUMENT, message);
}
