import { dme } from "../../../../shared/schema/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { AppTokenError, verifyAppToken } from "../auth/app_token.ts";
import { ksuid } from "../cookies/mod.ts";
import { appId } from "../matching/mod.ts";
import type { Caller, Desk } from "./desk.ts";
import type { CallNote } from "./records.ts";
import { invalid, unauthenticated } from "./errors.ts";
import { isPlatformApp } from "./platform_app.ts";

/** Type of the ids that are made here. */
const OWN_ID_TYPE = "dme-ksuid";

/** RegisterClient: who the app is, proven by its back-end where the app wants that (DME specification 3.2 to 3.6). */
export async function registerClient(
  desk: Desk,
  request: dme.RegisterClientRequest,
  caller: Caller,
  note: CallNote,
): Promise<dme.RegisterClientReply> {
  const { orgName: organization, appName: name, appVers: version } = request;
  if (organization === "") throw invalid("org_name must not be empty");
  if (name === "") throw invalid("app_name must not be empty");
  if (version === "") throw invalid("app_vers must not be empty");
  note.app = appId(organization, name, version);
  const entry = desk.tables.app(note.app);
  if (entry === undefined) {
    const text = `App not found: organization "${organization}", name "${name}", version "${version}"`;
    throw new RpcError(Status.NOT_FOUND, text);
  }
  await checkToken(desk, request, entry.app!.authPublicKey);
  const generated = request.uniqueId === "" && request.uniqueIdType === "";
  if (!generated && (request.uniqueId === "" || request.uniqueIdType === "")) {
    throw invalid("unique_id and unique_id_type must be given together or not at all");
  }
  const uniqueId = generated ? ksuid(desk.now(), desk.randomBytes) : request.uniqueId;
  const ownType = isPlatformApp(organization, name) ? `${organization}:${name}` : OWN_ID_TYPE;
  const uniqueIdType = generated ? ownType : request.uniqueIdType;
  const session = {
    peerIp: caller.address,
    organization,
    appName: name,
    appVersion: version,
    uniqueIdType,
    uniqueId,
  };
  const sessionCookie = await desk.sessions.issue(session);
  desk.records.registered(session);
  return dme.RegisterClientReply.create({
    status: dme.ReplyStatus.RS_SUCCESS,
    sessionCookie,
    tokenServerUri: desk.tokenServerUri,
    ...(generated ? { uniqueId, uniqueIdType } : {}),
  });
}

async function checkToken(desk: Desk, request: dme.RegisterClientRequest, publicKey: string): Promise<void> {
  if (publicKey === "") {
    if (request.authToken === "") return;
    throw unauthenticated("The app has no public key, so that auth_token cannot be verified");
  }
  if (request.authToken === "") throw invalid("auth_token is missing; the app requires one");
  const app = { organization: request.orgName, name: request.appName, version: request.appVers };
  try {
    await verifyAppToken(request.authToken, publicKey, app, desk.now());
  } catch (error) {
    if (error instanceof AppTokenError) throw unauthenticated(error.message);
    throw error;
  }
}
