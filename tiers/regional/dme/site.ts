import {
  type AccessClient,
  checkCertificate,
  openAccess,
  publicCertificate,
  serviceCertificate,
  watchAccessKey,
} from "../../../shared/access/mod.ts";
import type { Identity } from "../../../shared/identity/mod.ts";
import { CloudletKey, CloudletKind } from "../../../shared/schema/mod.ts";
import type { ConfigOf, ServiceContext } from "../../../shared/service/mod.ts";
import type { dmeOptions } from "./options.ts";

type Context = ServiceContext<ConfigOf<typeof dmeOptions>>;

/**
 * Gets this process its certificates by the key of the cloudlet on which it runs, where it is told to, and ends it when
 * that key is taken away: what it was trusted with is to be used no longer.
 */
export async function openSiteAccess(context: Context): Promise<AccessClient | undefined> {
  const { config, files, clock, log } = context;
  const { accessApiAddr, accessKeyFile, accessCa, cloudlet, cloudletOrg, publicName, publicTlsDir } = config;
  if (accessApiAddr === undefined) return undefined;
  if (accessKeyFile === undefined || accessCa === undefined || cloudlet === "" || cloudletOrg === "") {
    throw new Error("--access-api-addr needs --access-key-file, --access-ca, --cloudlet and --cloudlet-org");
  }
  if (publicName !== undefined && publicTlsDir === undefined) {
    throw new Error("--public-name needs --public-tls-dir, as the place for the certificate");
  }
  const stop = new AbortController();
  context.onClose("access", () => stop.abort());
  const access = await openAccess({
    address: accessApiAddr,
    keyFile: accessKeyFile,
    ca: await files.readText(accessCa),
    cloudletKey: CloudletKind.keyString(CloudletKey.create({ organization: cloudletOrg, name: cloudlet })),
    duty: "verify",
    certificates: [
      serviceCertificate("dme", config.tlsDir),
      ...(publicName === undefined ? [] : [publicCertificate(publicName, publicTlsDir!)]),
    ],
    files,
    clock,
    log,
  }, stop.signal);
  context.onClose("certificate renewal", () => access.close());
  const unwatch = watchAccessKey({
    client: access.client,
    clock,
    intervalMs: config.accessCheck,
    onRefused: (error) => context.fail(new Error(`The cloudlet's access key is refused: ${error.message}`)),
  });
  context.onClose("access key", unwatch);
  return access.client;
}

/**
 * The cloudlet on which this process runs by its certificate; undefined in the region. Throws when that is another one
 * than it was told.
 */
export function siteOf(context: Context, identity: Identity): CloudletKey | undefined {
  if (identity.tier !== "cloudlet") return undefined;
  const { region, cloudlet, cloudletOrg, tlsDir } = context.config;
  const key = { organization: cloudletOrg || identity.cloudlet.organization, name: cloudlet || identity.cloudlet.name };
  checkCertificate(identity, { service: "dme", key, region }, tlsDir);
  return CloudletKey.create(key);
}
