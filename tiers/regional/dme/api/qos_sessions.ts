import type { PrioritySession } from "../../../../shared/operator/mod.ts";
import { readPortList } from "../../../../shared/ports/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme, enumName } from "../../../../shared/schema/mod.ts";
import type { Desk, RegionInstance } from "./desk.ts";
import { invalid } from "./errors.ts";
import type { FoundReply } from "./prepared.ts";

/** Tag with the device's own address, and those that tell it of its session (DME specification 1.3, 4.8). */
const TAG_DEVICE = "ip_user_equipment";
const TAG_SESSION = "priority_session_id";
const TAG_PROFILE = "qos_profile_name";

/** Duration of a session when neither app nor device says one, seconds. */
const DEFAULT_DURATION_SECONDS = 24 * 3600;

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

const Result = dme.FindCloudletReply_QosSessionResult;
const DeleteStatus = dme.QosPrioritySessionDeleteReply_DeleteStatus;

/** QosPrioritySessionCreate. */
export async function createQosSession(
  desk: Desk,
  request: dme.QosPrioritySessionCreateRequest,
): Promise<dme.QosPrioritySessionReply> {
  const { sessions } = desk.operator;
  if (sessions === undefined) throw invalid("No QoS session service is configured");
  requireIpv4("ip_user_equipment", request.ipUserEquipment);
  requireIpv4("ip_application_server", request.ipApplicationServer);
  requireProfile(request.profile);
  const granted = await sessions.create({
    profile: request.profile,
    durationSeconds: request.sessionDuration || DEFAULT_DURATION_SECONDS,
    deviceAddress: request.ipUserEquipment,
    serverAddress: request.ipApplicationServer,
    devicePorts: request.portUserEquipment,
    serverPorts: request.portApplicationServer,
    protocolIn: request.protocolIn,
    protocolOut: request.protocolOut,
    notificationUri: request.notificationUri,
    notificationToken: request.notificationAuthToken,
  });
  return dme.QosPrioritySessionReply.create({
    sessionDuration: granted.durationSeconds,
    profile: granted.profile,
    sessionId: granted.id,
    startedAt: granted.startedAt,
    expiresAt: granted.expiresAt,
    httpStatus: granted.kept ? 200 : 201,
  });
}

/** QosPrioritySessionDelete; without a session service there is nothing known to delete. */
export async function deleteQosSession(
  desk: Desk,
  { profile, sessionId }: dme.QosPrioritySessionDeleteRequest,
): Promise<dme.QosPrioritySessionDeleteReply> {
  const { sessions } = desk.operator;
  if (sessions === undefined) return dme.QosPrioritySessionDeleteReply.create({ status: DeleteStatus.QDEL_UNKNOWN });
  requireProfile(profile);
  if (sessionId === "") throw invalid("session_id is empty");
  switch (await sessions.delete(profile, sessionId)) {
    case "deleted":
      return dme.QosPrioritySessionDeleteReply.create({ status: DeleteStatus.QDEL_DELETED });
    case "not found":
      return dme.QosPrioritySessionDeleteReply.create({ status: DeleteStatus.QDEL_NOT_FOUND });
    case "unknown":
      return dme.QosPrioritySessionDeleteReply.create({ status: DeleteStatus.QDEL_UNKNOWN });
  }
}

/** Whether the app of an instance wants priority for its devices, and the operator can give it. */
export function wantsPriority(desk: Desk, { app: { app } }: RegionInstance): boolean {
  return desk.operator.sessions !== undefined && app !== undefined &&
    app.qosSessionProfile !== dme.QosSessionProfile.QOS_NO_PRIORITY;
}

/**
 * Asks for priority between a device and the instance that was found for it, as its app wants it (specification 4.8).
 * Whatever comes of it stands in the reply; the search itself has succeeded.
 */
export async function withPriority(
  desk: Desk,
  found: RegionInstance,
  tags: Readonly<Record<string, string>>,
  reply: FoundReply | Promise<FoundReply>,
): Promise<dme.FindCloudletReply> {
  const own = (await reply).plain();
  try {
    const session = await desk.operator.sessions!.create(await sessionFor(desk, found, tags));
    own.qosResult = Result.QOS_SESSION_CREATED;
    own.tags = {
      [TAG_SESSION]: session.id,
      [TAG_PROFILE]: enumName(dme.QosSessionProfile, found.app.app!.qosSessionProfile),
    };
  } catch (error) {
    own.qosResult = Result.QOS_SESSION_FAILED;
    own.qosErrorMsg = RpcError.from(error).message;
  }
  return own;
}

async function sessionFor(
  desk: Desk,
  { instance, app: { app } }: RegionInstance,
  tags: Readonly<Record<string, string>>,
): Promise<PrioritySession> {
  const deviceAddress = tags[TAG_DEVICE] ?? "";
  if (deviceAddress === "") throw invalid(`tag ${TAG_DEVICE} is missing`);
  requireIpv4(`tag ${TAG_DEVICE}`, deviceAddress);
  const [port] = readPortList(app!.accessPorts, { deployment: app!.deployment }).ports;
  if (port === undefined) throw invalid("The app has no ports that could have priority");
  const [serverAddress] = await desk.resolve(instance.uri).catch(() => []);
  if (serverAddress === undefined) {
    throw new RpcError(Status.FAILED_PRECONDITION, `${instance.uri} has no IPv4 address`);
  }
  const protocol = port.protocol === "tcp" ? dme.QosSessionProtocol.TCP : dme.QosSessionProtocol.UDP;
  return {
    profile: app!.qosSessionProfile,
    durationSeconds: Math.round(Number(app!.qosSessionDuration) / 1e9) || DEFAULT_DURATION_SECONDS,
    deviceAddress,
    serverAddress,
    devicePorts: "",
    serverPorts: String(port.port),
    protocolIn: protocol,
    protocolOut: protocol,
    notificationUri: "",
    notificationToken: "",
  };
}

function requireIpv4(field: string, value: string): void {
  if (!IPV4.test(value)) throw invalid(`${field} ${JSON.stringify(value.slice(0, 64))} must be a dotted IPv4 address`);
}

function requireProfile(profile: dme.QosSessionProfile): void {
  if (profile === dme.QosSessionProfile.QOS_NO_PRIORITY) throw invalid("profile QOS_NO_PRIORITY asks for nothing");
}
