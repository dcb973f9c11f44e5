import { type Identity, type LoadedIdentity, verifyPeer } from "../../../shared/identity/mod.ts";
import {
  type Admission,
  createNotifyHub,
  type HelloInfo,
  type NotifyClient,
  type NotifyHub,
  relay,
} from "../../../shared/notify/mod.ts";
import { authenticate, createServer, RpcError, Status } from "../../../shared/rpc/mod.ts";
import { AlertKind, CloudletKey, CloudletKind } from "../../../shared/schema/mod.ts";
import { formatAddress, type ServiceContext } from "../../../shared/service/mod.ts";
import { errorFields } from "../../../shared/telemetry/mod.ts";
import type { CrmConfig } from "./options.ts";
import { WANTED_KINDS } from "./replicas.ts";

/** What services of the site report, and this process passes on. */
export const RELAYED_UP: readonly string[] = [AlertKind.kind];

/**
 * Serves other services of the same site: they get what this process gets from the region, and what they report goes up
 * as if it were this process's own (services specification 1.11). Call it before the client starts.
 */
export async function serveBelow(
  context: ServiceContext<CrmConfig>,
  key: CloudletKey,
  identity: LoadedIdentity,
  client: NotifyClient,
): Promise<NotifyHub> {
  const { config, clock } = context;
  const log = context.log.topic("notify");
  const scope = CloudletKind.keyString(key);
  const hub = createNotifyHub({
    service: context.name,
    region: config.region,
    instance: context.nodeName,
    kinds: WANTED_KINDS,
    log: (level, message, fields) => log[level](message, fields),
  });
  relay({ client, hub, down: WANTED_KINDS, up: RELAYED_UP, scopeOf: (_kind, key) => siteOfAlert(key) });

  const tls = () => ({ cert: identity.cert, key: identity.key, ca: identity.ca, requireClientCertificate: true });
  const rule = [{
    tier: "cloudlet",
    region: config.region,
    cloudlet: { organization: key.organization, name: key.name },
  }] as const;
  const server = createServer({
    tls: tls(),
    interceptors: [authenticate((peer) => {
      try {
        return verifyPeer(peer.certificates, rule, clock.now());
      } catch (error) {
        throw new RpcError(Status.PERMISSION_DENIED, (error as Error).message, { cause: error });
      }
    })],
    onError: (error, call) => {
      if (!call?.signal.aborted) log.warn("A service of the site was refused or failed", errorFields(error));
    },
  });
  hub.serve(server, (peer, hello) => admit(peer as Identity, hello, config.region, scope));
  const unsubscribe = identity.subscribe(() => server.updateTls(tls()));
  context.announce("notify", formatAddress(await server.listen(config.notifyAddr)));
  context.onClose("site's services", async () => {
    unsubscribe();
    hub.close();
    await server.drain(config.grace / 2);
  });
  return hub;
}

/** The certificate has proven the site; what the child says of itself must agree with it. */
function admit(identity: Identity, hello: HelloInfo, region: string, scope: string): Admission | { refuse: string } {
  if (hello.service !== identity.service) {
    return { refuse: `The certificate is of service ${identity.service}, not of ${hello.service}` };
  }
  if (hello.service === "crm") return { refuse: "Resource managers have their stream at the region's controllers" };
  if (hello.region !== region) return { refuse: `This is region ${region}, not ${hello.region}` };
  if (hello.cloudlet !== scope) return { refuse: `This is cloudlet ${scope}, not ${hello.cloudlet}` };
  return { scope };
}

/** The site that an alert's labels name: a service may raise alerts about its own site alone. */
function siteOfAlert(key: string): string | undefined {
  try {
    const { cloudlet, cloudletorg } = JSON.parse(AlertKind.parseKey(key).labels) as Record<string, unknown>;
    if (typeof cloudlet !== "string" || typeof cloudletorg !== "string") return undefined;
    return CloudletKind.keyString(CloudletKey.create({ organization: cloudletorg, name: cloudlet }));
  } catch {
    return undefined;
  }
}
