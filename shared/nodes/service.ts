import { type Identity, identityUri, type LoadedIdentity } from "../identity/mod.ts";
import type { NotifyClient, NotifyHub } from "../notify/mod.ts";
import { hostName, processId, runtimeVersion } from "../runtime/mod.ts";
import { type DeepPartial, type Node, NodeKey } from "../schema/mod.ts";
import type { ServiceContext } from "../service/mod.ts";
import { joinNodes, type NodeTree } from "./join.ts";

/** A service's ends of notify. */
export interface ServiceEnds {
  readonly hub?: NotifyHub;
  readonly client?: NotifyClient;
  readonly identity: LoadedIdentity;
}

/**
 * Makes a service take part in the tree under the name that its certificate gives it. Its hub and client must have
 * `context.nodeName` as their instance.
 */
export function joinService<C>(context: ServiceContext<C>, { hub, client, identity }: ServiceEnds): NodeTree {
  const { name, nodeName, debug, log, clock } = context;
  const startedAt = clock.now();
  debug.add("refresh-internal-certs", "Reads its certificate anew.", async () => {
    await identity.refresh();
    return `serial ${identity.serial}, good until ${new Date(identity.notAfterMs).toISOString()}`;
  });
  return joinNodes({
    key: NodeKey.create({ name: nodeName, type: name, ...placeOf(identity.identity) }),
    hub,
    client,
    commands: debug,
    describe: () => describe(context, identity, startedAt),
    log: (level, message, fields) => log[level](message, fields),
    now: () => clock.now(),
  });
}

function placeOf(identity: Identity): DeepPartial<NodeKey> {
  switch (identity.tier) {
    case "global":
      return {};
    case "regional":
      return { region: identity.region };
    case "cloudlet":
      return { region: identity.region, cloudletKey: identity.cloudlet };
  }
}

function describe<C>(
  { version, environment, log }: ServiceContext<C>,
  identity: LoadedIdentity,
  startedAt: number,
): DeepPartial<Node> {
  const built = (what: string): string => environment.get(`ARCHIPELAGO_BUILD_${what}`) ?? "";
  return {
    buildMaster: built("MASTER"),
    buildHead: built("HEAD"),
    buildAuthor: built("AUTHOR"),
    buildDate: built("DATE"),
    hostname: hostName(),
    containerVersion: version,
    internalPki: identityUri(identity.identity),
    properties: {
      runtime: runtimeVersion(),
      pid: String(processId()),
      started_at: new Date(startedAt).toISOString(),
      certificate_until: new Date(identity.notAfterMs).toISOString(),
      log_level: log.level(),
    },
  };
}
