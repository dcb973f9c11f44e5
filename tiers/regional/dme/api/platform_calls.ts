import { dme } from "../../../../shared/schema/mod.ts";
import { type PortRange, readPortList } from "../../../../shared/ports/mod.ts";
import type { ProvenSession, Session } from "../cookies/mod.ts";
import { appId } from "../matching/mod.ts";
import { readClientToken, writeClientToken } from "./client_token.ts";
import type { Desk } from "./desk.ts";
import type { CallNote } from "./records.ts";
import { denied, invalid } from "./errors.ts";
import { findFor } from "./find_cloudlet.ts";
import { requireLocation } from "./location_check.ts";
import { isPlatformApp } from "./platform_app.ts";

/** PlatformFindCloudlet: the platform app finds the instance for the app and place of a client token. */
export function platformFindCloudlet(
  desk: Desk,
  request: dme.PlatformFindCloudletRequest,
  session: ProvenSession,
  note: CallNote,
): dme.FindCloudletReply | Promise<dme.FindCloudletReply> {
  note.app = "";
  requirePlatformApp(session);
  const token = readClientToken(request.clientToken);
  const app = appId(token.organization, token.name, token.version);
  if (desk.tables.app(app) === undefined) throw invalid("The app that client_token names does not exist");
  note.app = app;
  return findFor(desk, { session, app, carrier: request.carrierName, location: token.location, note });
}

/** GetFqdnList: the official names of all apps that have one, for the platform app. */
export function getFqdnList(desk: Desk, _request: dme.FqdnListRequest, session: Session): dme.FqdnListReply {
  requirePlatformApp(session);
  const appFqdns: dme.AppFqdn[] = [];
  for (const app of desk.tables.apps()) {
    const { organization, name, version } = app.key;
    if (app.officialFqdn === "" || isPlatformApp(organization, name)) continue;
    appFqdns.push({
      appName: name,
      appVers: version,
      orgName: organization,
      fqdns: app.officialFqdn.split(","),
      androidPackageName: app.androidPackageName,
    });
  }
  return { ver: 0, appFqdns, status: dme.FqdnListReply_FLStatus.FL_SUCCESS, tags: {} };
}

/** GetAppOfficialFqdn: the app's official name, and a token by which the platform app finds an instance for it. */
export function getAppOfficialFqdn(
  desk: Desk,
  request: dme.AppOfficialFqdnRequest,
  session: ProvenSession,
): dme.AppOfficialFqdnReply {
  const location = requireLocation(request.gpsLocation);
  const app = desk.tables.app(session.app)?.app;
  if (app === undefined || app.officialFqdn === "") {
    return dme.AppOfficialFqdnReply.create({ status: dme.AppOfficialFqdnReply_AOFStatus.AOF_FAIL });
  }
  return {
    ver: 0,
    appOfficialFqdn: app.officialFqdn,
    clientToken: writeClientToken({ location, ...app.key }),
    status: dme.AppOfficialFqdnReply_AOFStatus.AOF_SUCCESS,
    ports: readPortList(app.accessPorts, { deployment: app.deployment }).ports.map(appPort),
    tags: {},
  };
}

function appPort(range: PortRange): dme.AppPort {
  return dme.AppPort.create({
    proto: range.protocol === "tcp" ? dme.LProto.L_PROTO_TCP : dme.LProto.L_PROTO_UDP,
    internalPort: range.port,
    endPort: range.endPort,
    tls: range.tls,
    nginx: range.nginx,
    maxPktSize: range.maxPacketBytes,
  });
}

function requirePlatformApp(session: Session): void {
  const { organization, appName } = session;
  if (isPlatformApp(organization, appName)) return;
  throw denied(`Not allowed for organization "${organization}" and app "${appName}"`);
}
