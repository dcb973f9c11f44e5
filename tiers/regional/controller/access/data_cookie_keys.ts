import { createHmac } from "node:crypto";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { CloudletKind } from "../../../../shared/schema/mod.ts";
import type { AccessContext } from "./context.ts";
import type { DataHandler } from "./data.ts";

/** Says in the derivation what the keys are for, so that the same secrets can never give keys for anything else. */
const PURPOSE = "archipelago/site-dme-cookies/1";

/**
 * Keys of the cookies that the matching engines of the caller's cloudlet give out, newest first. Each is derived from
 * one of the region's keys and has its number, so they change when those do; whoever has them can neither tell the
 * region's nor another cloudlet's, and cookies signed by them are good at that cloudlet alone.
 */
export const cookieKeyData: Readonly<Record<string, DataHandler>> = {
  async "get-dme-cookie-keys"({ context, cloudlet }) {
    requireSiteEngines(context);
    const { secrets, zone: { region } } = context;
    const path = `${region}/jwtkeys/dme`;
    const versions = await secrets.versions(path);
    const regional = await Promise.all(versions.map(({ version }) => secrets.get(path, { version })));
    const keys = regional.flatMap((found) => {
      const secret = found?.data["secret"];
      if (found === undefined || typeof secret !== "string") return [];
      const derived = createHmac("sha512", secret)
        .update(JSON.stringify([PURPOSE, region, CloudletKind.keyString(cloudlet.key)]))
        .digest("base64url");
      return [{ kid: found.version, createdAtMs: found.createdAtMs, secret: derived }];
    });
    if (keys.length > 0) return { keys };
    throw new RpcError(Status.NOT_FOUND, "The region has no keys for cookies of matching engines yet");
  },
};

/** Refuses what only a matching engine on a cloudlet can want. Throws FAILED_PRECONDITION. */
export function requireSiteEngines({ siteEngines }: Pick<AccessContext, "siteEngines">): void {
  if (siteEngines) return;
  throw new RpcError(
    Status.FAILED_PRECONDITION,
    "This region serves no matching engines of cloudlets; its controllers need --cloudlet-dmes",
  );
}
