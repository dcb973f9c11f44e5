import type { GrantedSession, OperatorContext, PrioritySession, QosSessions } from "../../shared/operator/mod.ts";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { SECRETS } from "./meta.ts";

const Profile = dme.QosSessionProfile;

/** Path and name of a profile at the operator (DME specification 4.10). */
const PROFILES: Readonly<Record<number, { readonly base: string; readonly qos: string }>> = {
  [Profile.QOS_LOW_LATENCY]: { base: "5g-latency", qos: "LOW_LATENCY" },
  [Profile.QOS_THROUGHPUT_DOWN_S]: { base: "5g-throughput", qos: "THROUGHPUT_S" },
  [Profile.QOS_THROUGHPUT_DOWN_M]: { base: "5g-throughput", qos: "THROUGHPUT_M" },
  [Profile.QOS_THROUGHPUT_DOWN_L]: { base: "5g-throughput", qos: "THROUGHPUT_L" },
};

/** Form of an id inside the text of a conflict. */
const SESSION_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** A session as the operator's API tells it. */
interface RemoteSession {
  readonly id: string;
  readonly qos?: string;
  readonly duration?: number;
  readonly startedAt?: number;
  readonly expiresAt?: number;
}

/** Priority sessions by an operator's REST API. */
export function restSessions(context: OperatorContext, address: string, timeoutMs: number): QosSessions {
  async function call(method: string, profile: dme.QosSessionProfile, id: string, body?: unknown): Promise<Response> {
    const key = await context.secret(SECRETS.sessions);
    if (key === undefined) throw new RpcError(Status.UNAUTHENTICATED, "No API key for QoS sessions is stored");
    const url = `${address.replace(/\/$/, "")}/${profileOf(profile).base}/sessions/${encodeURIComponent(id)}`;
    try {
      return await context.fetch(url, {
        method,
        headers: { authorization: key, ...(body !== undefined && { "content-type": "application/json" }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      throw new RpcError(Status.UNAVAILABLE, "The operator's QoS session service does not answer", { cause });
    }
  }

  async function remove(profile: dme.QosSessionProfile, id: string): Promise<"deleted" | "not found" | "unknown"> {
    const response = await call("DELETE", profile, id);
    await response.body?.cancel();
    return response.status === 204 ? "deleted" : response.status === 404 ? "not found" : "unknown";
  }

  async function create(session: PrioritySession, again: boolean): Promise<GrantedSession> {
    const { qos } = profileOf(session.profile);
    const response = await call("POST", session.profile, "", {
      duration: session.durationSeconds,
      ueAddr: session.deviceAddress,
      asAddr: session.serverAddress,
      uePorts: session.devicePorts,
      asPorts: session.serverPorts,
      protocolIn: protocolName(session.protocolIn),
      protocolOut: protocolName(session.protocolOut),
      qos,
      notificationUri: session.notificationUri,
      notificationAuthToken: session.notificationToken,
    });
    if (response.status === 201) return granted(session, await readSession(response), false);
    const text = (await response.text()).slice(0, 4096);
    const id = response.status === 409 ? SESSION_ID.exec(text)?.[0] : undefined;
    if (id === undefined || again) throw refused(response.status, text);
    const running = await call("GET", session.profile, id);
    if (running.status === 200) {
      const known = await readSession(running);
      if (known.qos === qos) return granted(session, known, true);
    } else await running.body?.cancel();
    await remove(session.profile, id);
    return await create(session, true);
  }

  return { create: (session) => create(session, false), delete: remove };
}

function profileOf(profile: dme.QosSessionProfile): { base: string; qos: string } {
  const found = PROFILES[profile];
  if (found !== undefined) return found;
  throw new RpcError(Status.INVALID_ARGUMENT, `profile ${profile}: is none that can be asked for`);
}

function protocolName(protocol: dme.QosSessionProtocol): string {
  switch (protocol) {
    case dme.QosSessionProtocol.TCP:
      return "TCP";
    case dme.QosSessionProtocol.UDP:
      return "UDP";
    default:
      return "ANY";
  }
}

async function readSession(response: Response): Promise<RemoteSession> {
  try {
    const value = await response.json();
    if (typeof value?.id === "string" && value.id !== "") return value as RemoteSession;
  } catch (cause) {
    throw new RpcError(Status.UNAVAILABLE, "The operator's QoS session service answered what cannot be read", {
      cause,
    });
  }
  throw new RpcError(Status.UNAVAILABLE, "The operator's QoS session service gave a session without an id");
}

function granted(session: PrioritySession, remote: RemoteSession, kept: boolean): GrantedSession {
  return {
    id: remote.id,
    profile: session.profile,
    durationSeconds: remote.duration ?? session.durationSeconds,
    startedAt: remote.startedAt ?? 0,
    expiresAt: remote.expiresAt ?? 0,
    kept,
  };
}

function refused(status: number, text: string): RpcError {
  const code = status === 401 || status === 403
    ? Status.UNAUTHENTICATED
    : status === 404
    ? Status.NOT_FOUND
    : status >= 500
    ? Status.UNAVAILABLE
    : Status.INVALID_ARGUMENT;
  return new RpcError(code, `The operator's QoS session service refused with ${status}: ${text.slice(0, 200)}`);
}
