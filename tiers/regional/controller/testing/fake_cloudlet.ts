import {
  Cloudlet,
  CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  type DeepPartial,
  dme,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { transaction } from "../../../../shared/store/mod.ts";
import { cloudletLabel, sharedFqdn } from "../rules/dns_labels.ts";
import { ObjectTx } from "../state/object_tx.ts";
import { until, type World } from "./world.ts";

/**
 * Writes a cloudlet that is ready, and what its site has said, as if both had always been there: for platforms that this
 * region runs none of. By default it is of type FAKE, with room for everything.
 */
export async function putCloudlet(
  { store, controller }: World,
  cloudlet: DeepPartial<Cloudlet> & { key: { organization: string; name: string } },
  info: DeepPartial<CloudletInfo> = {},
): Promise<void> {
  const dnsLabel = cloudletLabel(CloudletKind.keyMessage.create(cloudlet.key));
  const whole = Cloudlet.create({
    platformType: PlatformType.PLATFORM_TYPE_FAKE,
    state: TrackedState.READY,
    numDynamicIps: 100,
    location: { latitude: 10, longitude: 20 },
    dnsLabel,
    rootLbFqdn: sharedFqdn(dnsLabel, { region: "eu", root: "archipelago.localhost" }),
    ...cloudlet,
  });
  await transaction(store, (tx) => {
    const objects = new ObjectTx(tx, 0);
    objects.put(CloudletKind, whole);
    objects.put(
      CloudletInfoKind,
      CloudletInfo.create({
        key: whole.key,
        state: dme.CloudletState.CLOUDLET_STATE_READY,
        compatibilityVersion: 2,
        controller: "one",
        ...info,
      }),
    );
  });
  const key = CloudletKind.keyString(whole.key);
  await until(() => controller.cache.get(CloudletInfoKind, key) !== undefined, "the cloudlet is known");
}
