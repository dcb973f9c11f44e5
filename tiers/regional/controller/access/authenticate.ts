import { AccessMetadata, verifyCall, verifyLegacy } from "../../../../shared/access/mod.ts";
import { type CallContext, RpcError, type ServerInterceptor, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { type Cloudlet, CloudletKind } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { isDeletePrepared } from "../state/object_tx.ts";
import type { RegionCache } from "../state/region_cache.ts";
import type { Challenges } from "./challenges.ts";

/** Which of a cloudlet's two keys: the second is for the spare of a pair of resource managers. */
export type KeyRole = "primary" | "secondary";

/** Who calls the access API, as its signature proves. The only identity that counts there (specification 7.2). */
export interface AccessCaller {
  readonly cloudletKey: string;
  readonly role: KeyRole;
  /** Public half of the key that signed. */
  readonly publicPem: string;
  /** The key was given out for the first start and may only be exchanged. */
  readonly mustUpgrade: boolean;
}

/** What authentication works with. */
export interface AuthenticateOptions {
  readonly cache: RegionCache;
  readonly challenges: Challenges;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes signatures of the original's form, which can be used again by whoever has seen one. */
  readonly legacySignatures: boolean;
}

/** A caller who fails waits so long, that guessing is slow (specification 7.2), in milliseconds. */
export const REFUSAL_DELAY_MS = 3000;

const CALLER = Symbol("access caller");
const OPEN_METHOD = "/archipelago.CloudletAccessApi/GetChallenge";
const UPGRADE_METHOD = "/archipelago.CloudletAccessKeyApi/UpgradeAccessKey";

/** Finds out, before any handler runs, which cloudlet calls. */
export function authenticateCloudlet(options: AuthenticateOptions): ServerInterceptor {
  return async (call, next) => {
    if (call.method !== OPEN_METHOD) {
      const caller = await identify(options, call);
      if (caller.mustUpgrade && call.method !== UPGRADE_METHOD) {
        throw new RpcError(
          Status.FAILED_PRECONDITION,
          "The access key was issued for the first start and must be exchanged before anything else: UpgradeAccessKey",
        );
      }
      call.values.set(CALLER, caller);
    }
    await next();
  };
}

/** Who calls; there is somebody behind the interceptor. */
export function accessCaller(call: CallContext): AccessCaller {
  return call.values.get(CALLER) as AccessCaller;
}

async function identify(options: AuthenticateOptions, call: CallContext): Promise<AccessCaller> {
  const { metadata, method, peer } = call;
  const cloudletKey = metadata.get(AccessMetadata.key) ?? "";
  const signature = metadata.get(AccessMetadata.signature) ?? "";
  const challenge = metadata.get(AccessMetadata.challenge);
  // Not the caller's fault: another controller may have issued it.
  if (challenge !== undefined && !options.challenges.use(challenge)) {
    throw new RpcError(Status.ABORTED, "The challenge is unknown here, was used or is too old: ask for another one");
  }
  const cloudlet = findCloudlet(options.cache, cloudletKey);
  const holds = (publicPem: string) =>
    publicPem !== "" &&
    (challenge === undefined
      ? options.legacySignatures && verifyLegacy(publicPem, signature, cloudletKey)
      : verifyCall(publicPem, signature, { cloudletKey, method, challenge }));
  if (cloudlet !== undefined) {
    if (holds(cloudlet.crmAccessPublicKey)) return callerOf(cloudlet, "primary");
    if (holds(cloudlet.secondaryCrmAccessPublicKey)) return callerOf(cloudlet, "secondary");
  }
  options.log.warn("Access refused", { method, cloudlet: cloudletKey.slice(0, 200), peer: peer.address });
  await options.clock.sleep(REFUSAL_DELAY_MS, call.signal).catch(() => {});
  throw new RpcError(Status.UNAUTHENTICATED, "The access key is not accepted");
}

function callerOf(cloudlet: Cloudlet, role: KeyRole): AccessCaller {
  const [publicPem, mustUpgrade] = role === "primary"
    ? [cloudlet.crmAccessPublicKey, cloudlet.crmAccessKeyUpgradeRequired]
    : [cloudlet.secondaryCrmAccessPublicKey, cloudlet.secondaryCrmAccessKeyUpgradeRequired];
  return { cloudletKey: CloudletKind.keyString(cloudlet.key), role, publicPem, mustUpgrade };
}

function findCloudlet(cache: RegionCache, text: string): Cloudlet | undefined {
  try {
    const cloudlet = cache.get(CloudletKind, CloudletKind.keyString(CloudletKind.parseKey(text)));
    return isDeletePrepared(cloudlet) ? undefined : cloudlet;
  } catch {
    return undefined;
  }
}
