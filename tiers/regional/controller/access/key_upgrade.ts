import { createAccessKey } from "../../../../shared/access/mod.ts";
import { type Handlers, RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  type Cloudlet,
  type CloudletAccessKeyApi,
  CloudletKind,
  UpgradeAccessKeyServerMsg,
} from "../../../../shared/schema/mod.ts";
import type { Region } from "../state/region.ts";
import { type AccessCaller, accessCaller, type KeyRole } from "./authenticate.ts";

/** Exchange of an access key for one that nobody else has seen (specification 7.3). */
export function keyUpgradeApi(region: Region): Handlers<typeof CloudletAccessKeyApi> {
  return {
    async *upgradeAccessKey(requests, call) {
      const caller = accessCaller(call);
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      if (first.done) throw new RpcError(Status.INVALID_ARGUMENT, "msg: must be upgrade or verify-only, got nothing");
      const { verifyOnly, haRole } = first.value;
      if (haRole !== "" && haRole !== caller.role) {
        throw new RpcError(Status.INVALID_ARGUMENT, `ha_role ${haRole}: the key that signed is the ${caller.role} one`);
      }
      if (verifyOnly) {
        if (!caller.mustUpgrade) return yield answer("verified");
        throw new RpcError(Status.FAILED_PRECONDITION, "The access key must be exchanged first");
      }
      if (!caller.mustUpgrade) return yield answer("upgrade-not-needed");
      const { privatePem, publicPem } = createAccessKey();
      yield UpgradeAccessKeyServerMsg.create({ msg: "new-key", crmPrivateAccessKey: privatePem });
      const acknowledged = await messages.next();
      if (acknowledged.done || acknowledged.value.msg !== "ack-new-key") {
        throw new RpcError(Status.ABORTED, "The new key was not acknowledged; the old one still counts");
      }
      await commit(region, caller, publicPem);
      yield answer("commit-complete");
    },
  };
}

function answer(msg: string): UpgradeAccessKeyServerMsg {
  return UpgradeAccessKeyServerMsg.create({ msg });
}

/** Makes the new key the one that counts, unless the operator has changed it meanwhile. */
async function commit(region: Region, caller: AccessCaller, publicPem: string): Promise<void> {
  await region.change(async (tx) => {
    const cloudlet = await tx.get(CloudletKind, caller.cloudletKey);
    if (cloudlet === undefined || publicKeyOf(cloudlet, caller.role) !== caller.publicPem) {
      throw new RpcError(Status.ABORTED, "The access key was changed meanwhile");
    }
    tx.put(CloudletKind, withKey(cloudlet, caller.role, publicPem, false));
  });
}

function publicKeyOf(cloudlet: Cloudlet | undefined, role: KeyRole): string | undefined {
  return role === "primary" ? cloudlet?.crmAccessPublicKey : cloudlet?.secondaryCrmAccessPublicKey;
}

/** The cloudlet with another public half of one of its keys; empty: none. */
export function withKey(cloudlet: Cloudlet, role: KeyRole, publicPem: string, mustUpgrade: boolean): Cloudlet {
  return role === "primary"
    ? { ...cloudlet, crmAccessPublicKey: publicPem, crmAccessKeyUpgradeRequired: mustUpgrade }
    : { ...cloudlet, secondaryCrmAccessPublicKey: publicPem, secondaryCrmAccessKeyUpgradeRequired: mustUpgrade };
}
