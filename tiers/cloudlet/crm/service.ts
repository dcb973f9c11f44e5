import { checkCertificate, openAccess, parseCloudlet, serviceCertificate } from "../../../shared/access/mod.ts";
import { type LoadedIdentity, loadIdentity, verifyPeer } from "../../../shared/identity/mod.ts";
import { joinService } from "../../../shared/nodes/mod.ts";
import { createNotifyClient, type NotifyClient, roundRobin } from "../../../shared/notify/mod.ts";
import { systemRpcClock } from "../../../shared/rpc/mod.ts";
import { executablePath } from "../../../shared/runtime/mod.ts";
import { type CloudletKey, CloudletKind } from "../../../shared/schema/mod.ts";
import type { ServiceContext, ServiceDefinition } from "../../../shared/service/mod.ts";
import { RELAYED_UP, serveBelow } from "./below.ts";
import { Manager } from "./manager.ts";
import { type CrmConfig, crmOptions } from "./options.ts";
import { builtInPlatforms } from "./platforms.ts";
import { OWNED_KINDS, WANTED_KINDS } from "./replicas.ts";

/** Version that is reported to the region. */
const VERSION = "0.1.0";

type Context = ServiceContext<CrmConfig>;

/** The cloudlet resource manager as a service. */
export const crmService: ServiceDefinition<typeof crmOptions> = {
  name: "crm",
  description: "Runs the app instances of one cloudlet on its infrastructure and reports how they are.",
  options: crmOptions,
  version: VERSION,
  start,
};

async function start(context: Context): Promise<void> {
  const { config, clock, random, log, files, processes, metrics } = context;
  const key = parseCloudlet(config.cloudlet);
  await obtainCertificate(context, key);
  const identity = await loadIdentity(config.tlsDir, { files, clock, log });
  context.onClose("certificate", () => identity.close());
  context.onReadyCheck("certificate", () => identity.readyCheck());
  checkCertificate(identity.identity, { service: "crm", key, region: config.region }, config.tlsDir);
  await lockFolder(context);

  const client = notifyClient(context, key, identity);
  const hub = await serveBelow(context, key, identity, client);
  joinService(context, { client, hub, identity });
  const manager = new Manager({
    key,
    version: VERSION,
    client,
    table: builtInPlatforms,
    clock,
    log,
    metrics,
    probeIntervalMs: config.probeInterval,
    createTimeoutMs: config.createTimeout,
    deleteTimeoutMs: config.deleteTimeout,
    retryDelayMs: config.retryDelay,
    context: {
      region: config.region,
      cloudlet: { organization: key.organization, name: key.name },
      physicalName: config.physicalName,
      runtime: config.runtime ?? executablePath(),
      moduleRoots: config.moduleRoots,
      log,
      clock,
      random,
      files,
      processes,
      fetch,
      async directory(type) {
        await files.makeDirectory(`${config.dataDir}/${type}`, { mode: 0o700 });
        return `${config.dataDir}/${type}`;
      },
    },
  });
  context.onClose("manager", () => manager.close(config.stopAppsOnExit));
  context.onReadyCheck("site", () => manager.site.notReady());
  context.adminRoute("/state", () => Response.json(manager.state()));
  context.debug.add("dump-caches", "The site, its clusters and instances, and their states.", () => manager.state());
  manager.start().catch((error) => context.fail(error));
}

/** Gets this process a certificate by the cloudlet's access key, where it is told to. */
async function obtainCertificate(context: Context, key: CloudletKey): Promise<void> {
  const { accessApiAddr, accessKeyFile, accessCa, tlsDir } = context.config;
  if (accessApiAddr === undefined) return;
  if (accessKeyFile === undefined || accessCa === undefined) {
    throw new Error("--access-api-addr needs --access-key-file and --access-ca");
  }
  const stop = new AbortController();
  context.onClose("access", () => stop.abort());
  const access = await openAccess({
    address: accessApiAddr,
    keyFile: accessKeyFile,
    ca: await context.files.readText(accessCa),
    cloudletKey: CloudletKind.keyString(key),
    duty: "exchange",
    certificates: [serviceCertificate("crm", tlsDir)],
    files: context.files,
    clock: context.clock,
    log: context.log,
  }, stop.signal);
  context.onClose("certificate renewal", () => access.close());
}

/** Two processes on one folder would fight over what runs there. */
async function lockFolder({ config: { dataDir }, files, onClose }: Context): Promise<void> {
  await files.makeDirectory(dataDir, { mode: 0o700 });
  const lock = await files.tryLock(`${dataDir}/crm.lock`);
  if (!lock) throw new Error(`Folder ${dataDir} is in use by another resource manager`);
  onClose("lock", () => lock.release());
}

function notifyClient(
  { config, clock, random, nodeName, ...context }: Context,
  key: CloudletKey,
  identity: LoadedIdentity,
): NotifyClient {
  const log = context.log.topic("notify");
  const controllers = [{ tier: "regional", region: config.region, services: ["controller"] }] as const;
  return createNotifyClient({
    service: "crm",
    region: config.region,
    cloudlet: CloudletKind.keyString(key),
    instance: nodeName,
    wants: WANTED_KINDS,
    owns: [...OWNED_KINDS, ...RELAYED_UP],
    connect: roundRobin(config.notifyAddrs, () => ({
      tls: {
        ca: identity.ca,
        cert: identity.cert,
        key: identity.key,
        verifyPeer: (chain) => void verifyPeer(chain, controllers, clock.now()),
      },
    })),
    clock: systemRpcClock,
    random: () => random.number(),
    log: (level, message, fields) => log[level](message, fields as Record<string, string>),
  });
}
