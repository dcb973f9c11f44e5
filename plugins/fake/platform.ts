import {
  type CloudletPlatform,
  type EgressRule,
  type OperationContext,
  type PlatformContext,
  PlatformError,
  PUBLIC_ADDRESS,
} from "../../shared/platform/mod.ts";
import { addressAt } from "./addresses.ts";
import { createApps, type FakeApps } from "./apps.ts";
import { createClusters } from "./clusters.ts";
import { type Infrastructure, openInfrastructure, platformMachines, resourceUse } from "./infrastructure.ts";
import { META } from "./meta.ts";

interface Opened {
  readonly infrastructure: Infrastructure;
  readonly apps: FakeApps;
  readonly clusters: ReturnType<typeof createClusters>;
}

/** Makes the platform; it works once `init` has ended. */
export function createFakePlatform(): CloudletPlatform {
  let opened: Opened | undefined;
  const ready = (): Opened => {
    if (!opened) throw new PlatformError("Inconsistent", "The platform is not initialised");
    return opened;
  };
  return {
    meta: META,
    async init(context: PlatformContext, operation: OperationContext) {
      const infrastructure = await openInfrastructure(context);
      await infrastructure.steps.play("init", context.physicalName, operation, [
        ["Reaching the infrastructure"],
        ["Finding what runs"],
      ]);
      opened = { infrastructure, apps: createApps(infrastructure), clusters: createClusters(infrastructure) };
    },
    gather() {
      const { max, flavors } = ready().infrastructure;
      return Promise.resolve({
        ramMb: max.ramMb,
        vcpus: max.vcpus,
        diskGb: max.diskGb,
        properties: { infrastructure: "pretended", [PUBLIC_ADDRESS]: addressAt(ready().infrastructure, 0) },
        flavors,
        zones: [{ name: "zone-1", status: "available" }, { name: "zone-gpu", status: "available" }],
        images: [{ name: "ubuntu-22.04", diskFormat: "qcow2" }, { name: "ubuntu-22.04-gpu", diskFormat: "qcow2" }],
      });
    },
    async resources(operation) {
      const { infrastructure } = ready();
      await infrastructure.steps.play("resources", infrastructure.context.physicalName, operation, []);
      return { machines: platformMachines(infrastructure), resources: resourceUse(infrastructure) };
    },
    async setMaintenance(underMaintenance: boolean, operation: OperationContext) {
      const { steps, context } = ready().infrastructure;
      const line = underMaintenance ? "Preparing for maintenance" : "Ending maintenance";
      await steps.play("maintenance", context.physicalName, operation, [[line]]);
    },
    async setTrustPolicy(rules: readonly EgressRule[] | undefined, operation: OperationContext) {
      const { steps, context } = ready().infrastructure;
      await steps.play("trust-policy", context.physicalName, operation, [["Setting the rules of the trust policy"]]);
      await context.files.writeAtomic(`${context.directory}/trust-policy.json`, JSON.stringify(rules ?? null));
    },
    apps: {
      create: async (spec, operation) => await ready().apps.ops.create(spec, operation),
      update: async (spec, operation) => await ready().apps.ops.update!(spec, operation),
      setPower: async (ref, power, operation) => await ready().apps.ops.setPower!(ref, power, operation),
      exec: (ref, command, operation) => ready().apps.ops.exec!(ref, command, operation),
      logs: (ref, options, operation) => ready().apps.ops.logs!(ref, options, operation),
      delete: async (ref, operation) => await ready().apps.ops.delete(ref, operation),
      list: async (operation) => await ready().apps.ops.list(operation),
      status: async (ref) => await ready().apps.ops.status(ref),
      watch: (listener) => ready().apps.ops.watch(listener),
    },
    clusters: {
      create: async (spec, operation) => await ready().clusters.create(spec, operation),
      update: async (spec, operation) => await ready().clusters.update!(spec, operation),
      delete: async (ref, operation) => await ready().clusters.delete(ref, operation),
      list: async (operation) => await ready().clusters.list(operation),
      machines: async (ref) => await ready().clusters.machines!(ref),
      address: async (ref) => await ready().clusters.address!(ref),
    },
    async close(options) {
      await opened?.apps.close(options?.stopApps ?? false);
    },
  };
}
