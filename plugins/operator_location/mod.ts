/**
 * An operator with a location API, a prediction service for quality, and priority sessions (DME specification 4.10).
 *
 * @module
 */
import type { Operator, OperatorContext, OperatorPlugin } from "../../shared/operator/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { DEFAULT_TIMEOUT_MS, meta } from "./meta.ts";
import { qosPositionKpi } from "./qos_position.ts";
import { restSessions } from "./sessions.ts";
import { verifyLocation } from "./verify.ts";

const plugin: OperatorPlugin = { meta, open };
export default plugin;

function open(context: OperatorContext): Promise<Operator> {
  const { settings } = context;
  const verifyUrl = urlSetting(settings, "verify-url");
  const sessionsUrl = urlSetting(settings, "qos-session-addr");
  const timeoutMs = Number(settings["timeout-ms"] ?? DEFAULT_TIMEOUT_MS);
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1) {
    throw new Error(
      `Operator ${meta.name}: timeout-ms must be a number of milliseconds, got ${settings["timeout-ms"]}`,
    );
  }
  const positions = settings["qos-position-addr"] === undefined
    ? undefined
    : context.connect(settings["qos-position-addr"]);
  return Promise.resolve({
    properties: { ...settings },
    verifyLocation: (request) => verifyLocation(context, verifyUrl, timeoutMs, request),
    // Its location API only judges places; it tells none.
    getLocation: ({ carrierName }) =>
      Promise.resolve(
        dme.GetLocationReply.create({ status: dme.GetLocationReply_LocStatus.LOC_UNKNOWN, carrierName }),
      ),
    qosPositionKpi: (request) => qosPositionKpi(positions, context.now(), timeoutMs, request),
    ...(sessionsUrl !== undefined && { sessions: restSessions(context, sessionsUrl, timeoutMs) }),
    close() {
      positions?.close();
      return Promise.resolve();
    },
  });
}

function urlSetting(settings: Readonly<Record<string, string>>, name: string): string | undefined {
  const text = settings[name];
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "") return text;
  throw new Error(`Operator ${meta.name}: ${name} must be an http or https URL without a log-in`);
}
