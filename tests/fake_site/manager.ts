import type { CloudletKey } from "../../shared/schema/mod.ts";
import type { Manager } from "../../tiers/cloudlet/crm/manager.ts";
import { testManager } from "../../tiers/cloudlet/crm/testing/manager.ts";
import type { World } from "../../tiers/regional/controller/testing/world.ts";

/** A resource manager of its own for the cloudlet, which knows of no test. */
export function startManager(world: World, folder: string, key: CloudletKey): Manager {
  const manager = testManager({ region: "eu", key, parent: world.notifyAddress, directory: () => folder });
  manager.start();
  return manager;
}
