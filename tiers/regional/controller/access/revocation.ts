import { parseCertificate } from "../../../../shared/identity/mod.ts";
import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { type Cloudlet, CloudletKind } from "../../../../shared/schema/mod.ts";
import type { RegionCache } from "../state/region_cache.ts";

/** Certificates are dated back so far when they are issued, in milliseconds. */
const BACKDATE_MS = 5 * 60_000;

/** Whether a cloudlet's keys were revoked after its service's certificate was issued. */
export function isRevoked(cache: RegionCache, cloudletKey: string, certificate: Uint8Array): boolean {
  const revokedMs = revokedAt(cache.get(CloudletKind, cloudletKey));
  return revokedMs !== undefined && parseCertificate(certificate).notBeforeMs + BACKDATE_MS <= revokedMs;
}

/** Ends the streams of a cloudlet's services when its keys are revoked, on whichever controller that was done. */
export function dropRevoked(hub: NotifyHub, cache: RegionCache): () => void {
  return cache.subscribe(({ objects }) => {
    for (const { kind, keyString, object, old } of objects) {
      if (kind.kind !== CloudletKind.kind) continue;
      const [now, before] = [revokedAt(object as Cloudlet | undefined), revokedAt(old as Cloudlet | undefined)];
      if (now !== undefined && now !== before) {
        hub.disconnect((child) => child.scope === keyString, "The cloudlet's access keys were revoked");
      }
    }
  });
}

function revokedAt(cloudlet: Cloudlet | undefined): number | undefined {
  const at = cloudlet?.accessRevokedAt;
  return at && at.seconds * 1000 + at.nanos / 1e6;
}
