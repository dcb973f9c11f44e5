import { openDns } from "../../../shared/dns/mod.ts";
import { type Identity, identityName, loadIdentity, type PeerRule, verifyPeer } from "../../../shared/identity/mod.ts";
import { joinService } from "../../../shared/nodes/mod.ts";
import { hubMetrics, viewHub } from "../../../shared/notify/mod.ts";
import {
  addHealth,
  addReflection,
  authenticate,
  type CallRecord,
  createServer,
  HandshakeRefusedError,
  logCalls,
  RpcError,
  type RpcServer,
  type ServerInterceptor,
  Status,
  statusName,
} from "../../../shared/rpc/mod.ts";
import { hostName } from "../../../shared/runtime/mod.ts";
import { CloudletKind, fileDescriptors } from "../../../shared/schema/mod.ts";
import { openSecrets } from "../../../shared/secrets/mod.ts";
import { formatAddress, type ServiceContext, type ServiceDefinition } from "../../../shared/service/mod.ts";
import { openStore, type Store } from "../../../shared/store/mod.ts";
import { errorFields, type Logger, runWithTraceparent, withSpan } from "../../../shared/telemetry/mod.ts";
import { accessPointOf, listenForCloudlets } from "./access/listen.ts";
import { isRevoked } from "./access/revocation.ts";
import { type Controller, startController } from "./controller.ts";
import { type DriverFiles, fetchFrom, folderFiles } from "./drivers/mod.ts";
import { type ControllerConfig, controllerOptions } from "./options.ts";
import { openMetrics } from "./records/open.ts";
import { admit } from "./replication/admission.ts";
import { AppSources, SourceHosts, SourceReader } from "./sources/mod.ts";
import { STORE_PROBE_MS } from "./limits.ts";
import { StoreHealth } from "./state/store_health.ts";
import { readStoreTls } from "./state/store_tls.ts";

/** The regional controller as a service. */
export const controllerService: ServiceDefinition<typeof controllerOptions> = {
  name: "controller",
  description: "Keeps the objects of one region, drives their sites and replicates them to the region's services.",
  options: controllerOptions,
  start,
};

type Context = ServiceContext<ControllerConfig>;

async function start(context: Context): Promise<void> {
  const { config, clock, random, log, files } = context;
  const identity = await loadIdentity(config.tlsDir, { files, clock, log });
  context.onClose("certificates", () => identity.close());
  context.onReadyCheck("certificate", () => identity.readyCheck());
  const store = await openStore(config.store, {
    random: () => random.number(),
    tls: await readStoreTls(config.storeTlsDir, files),
  });
  context.onClose("store", () => store.close());
  watchStore(context, store);
  const secrets = config.secrets === undefined ? undefined : await openSecrets(config.secrets, context);
  context.onClose("secrets", () => secrets?.close());

  const metrics = config.metrics === undefined ? undefined : await openMetrics(context, config.metrics, secrets);
  const reader = new SourceReader(sourceHosts(config), fetch);
  const controller = await startController({
    region: config.region,
    nodeName: context.nodeName,
    joinNodes: (hub) => joinService(context, { hub, identity }),
    id: config.controllerId ?? `${hostName()}@${formatAddress(config.apiAddr)}`,
    hostname: hostName(),
    store,
    secrets,
    metrics,
    checkpointInterval: config.checkpointInterval === "MONTH"
      ? "MONTH"
      : parseInt(config.checkpointInterval) * 3_600_000,
    apps: {
      places: { registryFqdn: config.registryFqdn, artifactoryFqdn: config.artifactoryFqdn },
      sources: new AppSources(reader, secrets, config.imageCheck),
    },
    access: accessPointOf(config, identity.ca),
    siteEngines: config.cloudletDmes,
    driverFiles: await openDriverFiles(context, reader),
    edgeTurnAddr: config.edgeTurnAddr,
    autoUpgrade: config.autoUpgrade,
    dns: openDns(config.dns),
    dnsRoot: config.appDnsRoot,
    platformOrg: config.platformOrg,
    timeouts: {
      createCloudletMs: config.createCloudletTimeout,
      updateCloudletMs: config.updateCloudletTimeout,
      createClusterInstMs: config.createClusterInstTimeout,
      deleteClusterInstMs: config.deleteClusterInstTimeout,
      createAppInstMs: config.createAppInstTimeout,
      deleteAppInstMs: config.deleteAppInstTimeout,
    },
    streamGraceMs: config.streamGrace,
    siteGraceMs: config.siteGrace,
    clock,
    random,
    log,
  });
  context.onClose("controller", () => controller.close());
  probeStore(context, store);

  measure(context, controller);
  context.debug.add(
    "dump-caches",
    "Objects of the region, by kind.",
    () => Object.fromEntries(controller.cache.sizes()),
  );

  const { region } = config;
  const api = listener(context, identity, [{ tier: "global", services: ["master-controller"] }, {
    tier: "regional",
    region,
  }]);
  controller.serveApis(api);
  addReflection(api, fileDescriptors);
  const notify = listener(
    context,
    identity,
    [{ tier: "regional", region }, { tier: "cloudlet", region }],
    (peer, chain) => {
      if (peer.tier !== "cloudlet" || !isRevoked(controller.cache, cloudletKeyOf(peer), chain[0]!)) return;
      throw new RpcError(Status.PERMISSION_DENIED, `The access keys of ${identityName(peer)} were revoked`);
    },
  );
  controller.hub.serve(notify, (peer, hello) => admit(peer as Identity, hello, region, config.cloudletDmes));
  context.announce("grpc", formatAddress(await api.listen(config.apiAddr)));
  context.adminRoute("/notify", () => Response.json(viewHub(controller.hub, context.clock.now())));
  await listenForCloudlets(context, controller, identity, secrets, (call) => logCall(log, call));
  context.announce("notify", formatAddress(await notify.listen(config.notifyAddr)));
}

/** Files of drivers in a folder, with links to them at the admin address. */
async function openDriverFiles(context: Context, reader: SourceReader): Promise<DriverFiles | undefined> {
  const { config, files, clock, random } = context;
  if (config.driverDir === undefined) return undefined;
  const { driverFiles, serve } = await folderFiles({
    folder: config.driverDir,
    files,
    clock,
    random,
    fetch: fetchFrom(reader),
    baseUrl: () => config.driverUrl || `http://${formatAddress(config.adminAddr)}/driver-files`,
  });
  context.adminRoute("/driver-files", serve);
  return driverFiles;
}

function sourceHosts({ sourceHosts = [] }: ControllerConfig): SourceHosts {
  const hosts = SourceHosts.parse(sourceHosts.join(","));
  if (hosts === undefined) throw new Error(`--source-hosts holds what is no host: ${sourceHosts.join(",")}`);
  return hosts;
}

function cloudletKeyOf({ cloudlet: { organization, name } }: Identity & { tier: "cloudlet" }): string {
  return CloudletKind.keyString(CloudletKind.keyMessage.create({ organization, name }));
}

function measure({ metrics }: Context, { hub, cache }: Controller): void {
  metrics.gauge({ name: "controller_objects", help: "Objects of the region, by kind.", labels: ["kind"] })
    .collect(() => cache.sizes().map(([kind, size]) => [{ kind }, size] as const));
  const gauges = {
    streams: "Children that are connected, by service.",
    lag: "Revisions that the child furthest behind has not been sent, by service.",
    queued: "Messages that wait for children, by service.",
  };
  for (const [name, help] of Object.entries(gauges)) {
    metrics.gauge({ name: `controller_notify_${name}`, help, labels: ["service"] })
      .collect(() => hubMetrics(hub)[name as keyof typeof gauges]);
  }
  const counters = [
    ["connects", "connects", "Streams that children have begun, by service: they grow by reconnects."],
    ["sent_bytes", "sentBytes", "Octets of frames sent to children, by service."],
    ["received_bytes", "receivedBytes", "Octets of frames received from children, by service."],
    ["dropped_messages", "droppedMessages", "Messages whose queue was full, by service."],
  ] as const;
  for (const [name, what, help] of counters) {
    metrics.counter({ name: `controller_notify_${name}`, help, labels: ["service"] }).collect(() =>
      hubMetrics(hub)[what]
    );
  }
}

/** A server that admits the services of a rule and nobody else. */
function listener(
  context: Context,
  identity: Awaited<ReturnType<typeof loadIdentity>>,
  rule: PeerRule,
  alsoCheck: (peer: Identity, chain: readonly Uint8Array[]) => void = () => {},
): RpcServer {
  const { clock, log, config } = context;
  const tls = () => ({ cert: identity.cert, key: identity.key, ca: identity.ca, requireClientCertificate: true });
  const calls = log.topic("api");
  const server = createServer({
    tls: tls(),
    interceptors: [
      traceCalls,
      logCalls((call) => logCall(calls, call)),
      authenticate((peer) => {
        const admitted = admitPeer(peer.certificates, rule, clock.now());
        alsoCheck(admitted, peer.certificates!);
        return admitted;
      }),
    ],
    // A caller that is gone explains itself; what is left is a fault of ours.
    onError: (error, call) => {
      if (error instanceof HandshakeRefusedError) log.warn("Peer refused", errorFields(error));
      else if (call === undefined) log.debug("Connection failed", errorFields(error));
      else if (!call.signal.aborted && !isToldBySite(error)) {
        log.error("Call failed unexpectedly", { method: call.method, error });
      }
    },
  });
  addHealth(server);
  const unsubscribe = identity.subscribe(() => server.updateTls(tls()));
  context.onClose("server", async () => {
    unsubscribe();
    await server.drain(config.grace / 2);
  });
  return server;
}

/** What a site could not do is the caller's to know, and no fault of the controller. */
function isToldBySite(error: unknown): boolean {
  return error instanceof RpcError && error.code === Status.UNKNOWN;
}

/** Runs a call inside a span that belongs to the caller's trace. */
const traceCalls: ServerInterceptor = ({ method, metadata }, next) =>
  runWithTraceparent(
    metadata.get("traceparent"),
    () => withSpan(method, { "rpc.system": "grpc" }, () => next(), { kind: "server" }),
  );

/** Calls that change nothing, by their method's name; the others leave a line in the log with the caller's trace. */
const READING = /\/(?:Show|Stream(?!Command$)|Check$|Watch$)\w*$/;

function logCall(log: Logger, call: CallRecord): void {
  const { method, code, message, durationMs, peer, cause } = call;
  const unexpected = code === Status.INTERNAL;
  // Somebody with a certificate of ours tried a door that is not theirs.
  const stranger = code === Status.PERMISSION_DENIED && peer.identity === undefined;
  const level = unexpected || stranger ? "warn" : READING.test(method) ? "debug" : "info";
  log[level](stranger ? "Peer refused" : "Call", {
    method,
    code: statusName(code),
    reason: message,
    duration_ms: durationMs,
    peer: peer.identity === undefined ? peer.address : identityName(peer.identity as Identity),
    ...(unexpected ? { cause } : {}),
  });
}

function admitPeer(chain: readonly Uint8Array[] | undefined, rule: PeerRule, nowMs: number): Identity {
  try {
    return verifyPeer(chain, rule, nowMs);
  } catch (error) {
    throw new RpcError(Status.PERMISSION_DENIED, (error as Error).message, { cause: error });
  }
}

/** Ready while the store is neither full nor slow, which a small write finds out now and then. */
function probeStore({ config, clock, log, onClose, onReadyCheck }: Context, store: Store): void {
  const controller = config.controllerId ?? formatAddress(config.apiAddr);
  const health = new StoreHealth({
    store,
    controller,
    clock,
    log,
    intervalMs: STORE_PROBE_MS,
    slowMs: config.storeSlow,
  });
  health.start();
  onClose("store probe", () => health.close());
  onReadyCheck("store writes", () => health.fault());
}

/** Ready while the store answers. */
function watchStore({ onReadyCheck }: Context, store: Store): void {
  onReadyCheck("store", async () => {
    const { healthy, detail } = await store.status();
    return healthy ? undefined : detail;
  });
}
