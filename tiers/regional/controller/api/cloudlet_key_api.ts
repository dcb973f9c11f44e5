import { createAccessKey } from "../../../../shared/access/mod.ts";
import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  CloudletKey,
  type CloudletKeyApi,
  CloudletKind,
  CloudletManifest,
  requiredIssues,
} from "../../../../shared/schema/mod.ts";
import { withKey } from "../access/key_upgrade.ts";
import type { ApiContext } from "../context.ts";
import { failedPrecondition, notFound, refuse } from "../faults.ts";
import { timestamp } from "../state/object_tx.ts";
import { cloudletSecretPath, requireSecrets } from "./cloudlet/secrets.ts";
import { crmManifest } from "./cloudlet_manifest.ts";
import { done } from "./requests.ts";

/** Handlers of CloudletKeyApi. */
export function cloudletKeyApi(context: ApiContext): Handlers<typeof CloudletKeyApi> {
  const { region, clock, access } = context;

  /** Puts a new key that must be exchanged at first use in the place of the primary one. */
  async function renew(request: CloudletKey, options: { onlyFirst: boolean }): Promise<string> {
    const keyString = keyOf(request);
    const { privatePem, publicPem } = createAccessKey();
    await region.change(async (tx) => {
      const cloudlet = await tx.requireUsable(CloudletKind, keyString);
      if (options.onlyFirst && cloudlet.crmAccessPublicKey !== "") {
        throw failedPrecondition(
          `Cloudlet ${keyString} has an access key already: revoke it first (mcctl cloudlet revokeaccesskey)`,
        );
      }
      tx.put(CloudletKind, withKey(cloudlet, "primary", publicPem, true));
    });
    return privatePem;
  }

  return {
    async generateAccessKey(request) {
      return done(await renew(request, { onlyFirst: false }));
    },
    async revokeAccessKey(request) {
      const keyString = keyOf(request);
      await region.change(async (tx) => {
        const cloudlet = await tx.require(CloudletKind, keyString);
        const without = withKey(withKey(cloudlet, "primary", "", false), "secondary", "", false);
        tx.put(CloudletKind, { ...without, accessRevokedAt: timestamp(clock.now()) });
      });
      return done("Access keys revoked; services of the cloudlet are disconnected");
    },
    async getCloudletGPUDriverLicenseConfig(request) {
      const keyString = keyOf(request);
      if (region.cache.get(CloudletKind, keyString) === undefined) throw notFound(CloudletKind, keyString);
      const path = cloudletSecretPath(region.name, request, "gpu-license");
      const license = (await requireSecrets(context.secrets).get(path))?.data["license"];
      if (typeof license === "string") return done(license);
      throw failedPrecondition(
        `Cloudlet ${keyString} has no license of its own; its driver's: mcctl gpudriver getlicenseconfig`,
      );
    },
    async getCloudletManifest(request) {
      if (access === undefined) {
        throw failedPrecondition("This region serves no access API: start it with --access-api-addr");
      }
      const privatePem = await renew(request, { onlyFirst: true });
      const { organization, name } = request;
      return CloudletManifest.create({
        manifest: crmManifest({ organization, name }, region.name, access, privatePem),
      });
    },
  };
}

function keyOf(request: CloudletKey): string {
  refuse(requiredIssues(CloudletKey, request));
  return CloudletKind.keyString(request);
}
