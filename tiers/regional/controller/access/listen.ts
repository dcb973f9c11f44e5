import { openDns } from "../../../../shared/dns/mod.ts";
import { type LoadedIdentity, loadServerCertificate, openCloudletIssuer } from "../../../../shared/identity/mod.ts";
import { addHealth, type CallRecord } from "../../../../shared/rpc/mod.ts";
import { openSshAuthority, type SecretStore } from "../../../../shared/secrets/mod.ts";
import { formatAddress, type ServiceContext } from "../../../../shared/service/mod.ts";
import { errorFields } from "../../../../shared/telemetry/mod.ts";
import type { AccessPoint } from "../api/cloudlet_manifest.ts";
import type { Controller } from "../controller.ts";
import type { ControllerConfig } from "../options.ts";
import { accessServer } from "./server.ts";

type Context = ServiceContext<ControllerConfig>;

/** How sites are told to reach this region; undefined when it serves no access API. */
export function accessPointOf(config: ControllerConfig, rootPem: string): AccessPoint | undefined {
  if (config.accessApiAddr === undefined) return undefined;
  return {
    accessAddress: config.accessPublicAddr ?? formatAddress(config.accessApiAddr),
    notifyAddress: config.notifyPublicAddr ?? formatAddress(config.notifyAddr),
    rootPem,
  };
}

/** Serves the access API on its own port, where one is wanted. Throws when what it needs is missing. */
export async function listenForCloudlets(
  context: Context,
  controller: Controller,
  identity: LoadedIdentity,
  secrets: SecretStore | undefined,
  onCall: (call: CallRecord) => void,
): Promise<void> {
  const { config, clock, random, log, files } = context;
  if (config.accessApiAddr === undefined) return;
  if (secrets === undefined || config.publicTlsDir === undefined) {
    throw new Error("--access-api-addr needs --secrets, for what it gives out, and --public-tls-dir, for its port");
  }
  const certificate = await loadServerCertificate(config.publicTlsDir, { files, clock, log });
  context.onClose("access certificate", () => certificate.close());
  context.onReadyCheck("access certificate", () => certificate.readyCheck());
  // Naming a root of ours keeps the server from listing the system's to its callers, who have no certificates.
  const tls = () => ({
    cert: certificate.cert,
    key: certificate.key,
    ca: certificate.ca,
    requireClientCertificate: false,
  });
  const server = accessServer({
    region: controller.region,
    zone: { region: config.region, root: config.appDnsRoot },
    secrets,
    issuer: await openCloudletIssuer({ secrets, clock, random }, identity.ca),
    ssh: await openSshAuthority(secrets, `${config.region}/ssh/ca`, random),
    dns: openDns(config.dns),
    clock,
    random,
    log,
    siteEngines: config.cloudletDmes,
    legacySignatures: config.accessLegacySignatures,
  }, {
    tls: tls(),
    onCall,
    onError: (error) => log.debug("Connection to the access API failed", errorFields(error)),
  });
  addHealth(server);
  const unsubscribe = certificate.subscribe(() => server.updateTls(tls()));
  context.onClose("access server", async () => {
    unsubscribe();
    await server.drain(config.grace / 2);
  });
  context.announce("access", formatAddress(await server.listen(config.accessApiAddr)));
}
