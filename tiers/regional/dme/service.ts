import type { AccessClient } from "../../../shared/access/mod.ts";
import {
  type LoadedCertificate,
  type LoadedIdentity,
  loadIdentity,
  loadServerCertificate,
} from "../../../shared/identity/mod.ts";
import { joinService } from "../../../shared/nodes/mod.ts";
import type { Operator } from "../../../shared/operator/mod.ts";
import { createRateLimiter, type RateLimiter } from "../../../shared/ratelimit/mod.ts";
import { addHealth, addReflection, createServer } from "../../../shared/rpc/mod.ts";
import { resolveIpv4, serveHttp } from "../../../shared/runtime/mod.ts";
import {
  AppInstLatency,
  type CloudletKey,
  CloudletKind,
  DecodeError,
  fileDescriptors,
  fromJson,
} from "../../../shared/schema/mod.ts";
import { openSecrets, type SecretStore, type SigningKeys, signingKeys } from "../../../shared/secrets/mod.ts";
import {
  type ConfigOf,
  formatAddress,
  type ServiceContext,
  type ServiceDefinition,
} from "../../../shared/service/mod.ts";
import { errorFields } from "../../../shared/telemetry/mod.ts";
import {
  addGrpcCalls,
  type CallObserver,
  type Calls,
  createCalls,
  type Desk,
  PreparedInstances,
  regionMatcher,
  type RegionTables,
} from "./api/mod.ts";
import { countCalls, countStreams } from "./call_metrics.ts";
import { type CookieKeys, edgeEventsCookies, sessionCookies, siteCookieKeys } from "./cookies/mod.ts";
import { createEdgeDesk, type EdgeDesk, edgeEventHandler } from "./edge/mod.ts";
import { type Feed, feedTables } from "./feed/feed.ts";
import { RegionRules } from "./feed/region_rules.ts";
import { Tables } from "./matching/mod.ts";
import { openOperator } from "./operators.ts";
import { dmeOptions } from "./options.ts";
import { createRestHandler } from "./rest/handler.ts";
import { MAX_MESSAGE_BYTES } from "./rest/messages.ts";
import { answerController } from "./questions.ts";
import { keepStatistics, type Statistics } from "./statistics.ts";
import { openSiteAccess, siteOf } from "./site.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

type Context = ServiceContext<ConfigOf<typeof dmeOptions>>;

/** The distributed matching engine of a region, or of a cloudlet when its certificate is one of a cloudlet. */
export const dmeService: ServiceDefinition<typeof dmeOptions> = {
  name: "dme",
  description: "the distributed matching engine: finds the nearest usable instance of an app for a device",
  options: dmeOptions,
  async start(context) {
    const tables: RegionTables = new Tables();
    const access = await openSiteAccess(context);
    const secrets = await openSecretStore(context);
    const keys = openCookieKeys(context, secrets, access);
    const { region, rateLimit } = context.config;
    const limits = createRateLimiter({ settings: [], maxTracked: 1, clock: context.clock });
    const rules = new RegionRules(limits, rateLimit);
    const identity = await loadIdentity(context.config.tlsDir, context);
    context.onClose("identity", () => identity.close());
    context.onReadyCheck("identity", () => identity.readyCheck());
    const operator = await openOperator(context, identity, secrets);
    const site = siteOf(context, identity.identity);
    const { feed, upstream } = followRegion(context, tables, rules, { identity, site });
    const statistics = keepStatistics(context, upstream, tables, site);
    const desk = makeDesk(context, tables, { keys, feed, rules, limits, statistics, operator });
    const calls = createCalls(desk, observe(context, tables, statistics), () => context.clock.monotonic());
    const edge = openEdgeStreams(context, desk, rules, statistics);
    context.debug.add(
      "request-appinst-latency",
      "Asks the devices that use an app instance for their latency; args is its key as JSON.",
      (args) => {
        const { key } = fromJson(AppInstLatency, { key: JSON.parse(args) });
        return `Asked ${edge.pushes.requestLatency(key)} devices`;
      },
    );
    const cloudlet = site && CloudletKind.keyString(site);
    answerController(upstream.client, { region, instance: context.nodeName, cloudlet, clock: context.clock }, edge);
    await listen(context, calls, edge);
  },
};

async function openSecretStore(context: Context): Promise<SecretStore | undefined> {
  if (context.config.secrets === undefined) return undefined;
  const secrets = await openSecrets(context.config.secrets, context);
  context.onClose("secrets", () => secrets.close());
  return secrets;
}

/** A cloudlet's engines have keys of that cloudlet, from the region; it must not hold those of the whole region. */
function openCookieKeys(
  context: Context,
  secrets: SecretStore | undefined,
  access: AccessClient | undefined,
): CookieKeys {
  const { config, clock } = context;
  const path = `${config.region}/jwtkeys/dme`;
  let keys: SigningKeys;
  if (access !== undefined) keys = siteCookieKeys(access, clock);
  else if (secrets !== undefined) keys = signingKeys(secrets, path, clock);
  else throw new Error("--secrets is required, for the keys of cookies, unless --access-api-addr is given");
  context.onClose("cookie keys", () => keys.close());
  context.onReadyCheck("cookie keys", async () => {
    const { kid } = await keys.current();
    return kid > 0 ? undefined : `no key at ${path}`;
  });
  return keys;
}

function followRegion(
  context: Context,
  tables: RegionTables,
  rules: RegionRules,
  { identity, site }: { identity: LoadedIdentity; site: CloudletKey | undefined },
): { feed: Feed; upstream: Upstream } {
  const { config, log } = context;
  const upstream = createUpstream({
    ...context,
    region: config.region,
    instance: context.nodeName,
    addresses: config.notifyAddrs,
    identity,
    site,
  });
  const { client } = upstream;
  const feed = feedTables(tables, rules, (kind) => upstream.replica(kind), (kind, key, error) => {
    log.error("a replicated object cannot be used", { kind, key, ...errorFields(error) });
  });
  context.onReadyCheck("notify", () => incomplete(feed));
  joinService(context, { client, identity });
  context.debug.add(
    "dump-caches",
    "Objects by kind.",
    () => Object.fromEntries(upstream.kinds.map((kind) => [kind, upstream.replica(kind).size])),
  );
  client.start();
  context.onClose("notify", () => client.stop());
  return { feed, upstream };
}

/** Once complete the tables serve for good, also while the controllers are away. */
function incomplete(feed: Feed): string | undefined {
  const missing = feed.missing();
  return missing.length === 0 ? undefined : `The region's data has not arrived yet: ${missing.join(", ")}`;
}

/** Calls are counted for whoever looks at this process, and for the region. */
function observe(context: Context, tables: RegionTables, statistics: Statistics): CallObserver {
  const count = countCalls(context.metrics, tables);
  return (method, code, durationMs, note) => {
    count(method, code, durationMs, note);
    statistics.observe(method, code, durationMs, note);
  };
}

interface DeskParts {
  readonly keys: CookieKeys;
  readonly feed: Feed;
  readonly rules: RegionRules;
  readonly limits: RateLimiter;
  readonly statistics: Statistics;
  readonly operator: Operator;
}

function makeDesk(
  context: Context,
  tables: RegionTables,
  { keys, feed, rules, limits, statistics, operator }: DeskParts,
): Desk {
  const { config, clock, random } = context;
  const now = () => clock.now();
  const carrierOfCode = (code: string) => rules.carrierOf(code);
  return {
    tables,
    matcher: regionMatcher(config.randomTies ? () => random.number() : undefined, carrierOfCode),
    carrierOfCode,
    spreadsTies: config.randomTies,
    prepared: new PreparedInstances(),
    sessions: sessionCookies({ keys, now, lifetimeMs: config.cookieExpiration }),
    edgeEvents: edgeEventsCookies({ keys, now, lifetimeMs: config.edgeEventsCookieExpiration }),
    now,
    randomBytes: (count) => random.bytes(count),
    tokenServerUri: config.tokenServerUri,
    operator,
    resolve: resolveIpv4,
    limits,
    records: statistics.records,
    notReady: () => incomplete(feed),
  };
}

function openEdgeStreams(context: Context, desk: Desk, rules: RegionRules, statistics: Statistics): EdgeDesk {
  const { config, clock, log, metrics } = context;
  const edge: EdgeDesk = createEdgeDesk({
    desk,
    stats: statistics.edge,
    clock,
    tileSideKm: () => rules.tileSideKm,
    limits: { streams: config.edgeEventsMaxStreams },
    observer: countStreams(metrics, () => edge.open),
    onError: (error) => log.error("an event could not be told", errorFields(error)),
  });
  return edge;
}

async function listen(context: Context, calls: Calls, edge: EdgeDesk): Promise<void> {
  const { config, log } = context;
  const certificate = await publicCertificate(context);
  const onError = (error: unknown) => log.error("a call failed", errorFields(error));
  const badMessages = context.metrics.counter({
    name: "dme_undecodable_messages_total",
    help: "Messages by gRPC that were none.",
    labels: [],
  });
  const grpc = createServer({
    tls: certificate && serverTls(certificate),
    limits: { maxMessageBytes: MAX_MESSAGE_BYTES },
    onError: (error, call) => {
      if (error instanceof DecodeError) return badMessages.add(1, {});
      // Devices break connections off all the time.
      if (call === undefined) log.debug("a connection failed", errorFields(error));
      else onError(error);
    },
  });
  addGrpcCalls(grpc, calls, edgeEventHandler(edge));
  addHealth(grpc);
  addReflection(grpc, fileDescriptors);
  const grpcAddress = await grpc.listen(config.apiAddr);
  context.onClose("grpc", () => grpc.drain(config.grace));
  const rest = await serveHttp({
    ...config.httpAddr,
    tls: certificate && { cert: certificate.cert, key: certificate.key },
    handler: createRestHandler({ calls, edge, onError }),
  });
  context.onClose("rest", () => rest.drain(config.grace));
  // Before the servers wait for what is open.
  context.onClose("event streams", () => edge.drain());
  certificate?.subscribe((renewed) => {
    rest.updateTls({ cert: renewed.cert, key: renewed.key }).catch(onError);
    grpc.updateTls(serverTls(renewed));
  });
  context.announce("grpc", formatAddress(grpcAddress));
  context.announce("rest", rest.url);
}

async function publicCertificate(context: Context): Promise<LoadedCertificate | undefined> {
  const { publicTls, publicTlsDir } = context.config;
  if (!publicTls) return undefined;
  if (publicTlsDir === undefined) throw new Error("--public-tls-dir is required unless --no-public-tls is given");
  const certificate = await loadServerCertificate(publicTlsDir, context);
  context.onClose("public certificate", () => certificate.close());
  context.onReadyCheck("public certificate", () => certificate.readyCheck());
  return certificate;
}

/** Devices have no certificates. Naming our roots all the same keeps the server from listing the system's to them. */
function serverTls({ cert, key, ca }: LoadedCertificate) {
  return { cert, key, ca, requireClientCertificate: false };
}
