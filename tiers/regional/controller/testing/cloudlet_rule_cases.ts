import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  type Cloudlet,
  CloudletAllianceOrg,
  CloudletKind,
  type DeepPartial,
  InfraApiAccess,
  PlatformType,
} from "../../../../shared/schema/mod.ts";
import { cloudletSecretPath } from "../api/cloudlet/secrets.ts";
import { type ApiCase, one, refused } from "./support.ts";
import { cloudlet, flavor, furnish, lines, openTestSecrets, World } from "./world.ts";

const KEY = { organization: "Bayline Inc.", name: "Edge" };

/** What creation refuses, by a pattern of the fault. */
const REFUSED: readonly [RegExp, DeepPartial<Cloudlet>][] = [
  [/deployment must be one of docker, kubernetes/, { deployment: "vm" }],
  [/access_vars must not be set with deployment_local/, { deploymentLocal: true, accessVars: { TOKEN: "x" } }],
  [/vm_image_version must not be set with deployment_local/, { deploymentLocal: true, vmImageVersion: "1" }],
  [/deployment must not be set with deployment_local/, { deploymentLocal: true, deployment: "kubernetes" }],
  [/infra_api_access must not be set with deployment_local/, {
    deploymentLocal: true,
    infraApiAccess: InfraApiAccess.RESTRICTED_ACCESS,
  }],
  [/infra_config.flavor_name is required.*infra_config.external_network_name is required/, {
    infraApiAccess: InfraApiAccess.RESTRICTED_ACCESS,
  }],
  [/vm_pool must be empty/, { vmPool: "pool" }],
  [/single_kubernetes_cluster_owner must be empty/, { singleKubernetesClusterOwner: "AtlasWorks" }],
  [/trust_policy is not supported on platform Process/, { trustPolicy: "strict" }],
  [/enable_default_serverless_cluster is not supported/, { enableDefaultServerlessCluster: true }],
  [/platform_high_availability is not supported/, { platformHighAvailability: true }],
  [/kafka_password must be set together/, { kafkaCluster: "kafka:9092", kafkaUser: "me" }],
  [/kafka_cluster is required/, { kafkaUser: "me", kafkaPassword: "secret-word" }],
  [/resource_quotas\[0\].name must be one of RAM/, { resourceQuotas: [{ name: "Coffee", value: 1 }] }],
  [/resource_quotas\[1\].name must not be there twice/, { resourceQuotas: [{ name: "RAM" }, { name: "RAM" }] }],
  [/alert_threshold must be from 0 to 100/, { resourceQuotas: [{ name: "RAM", alertThreshold: 101 }] }],
  [/default_resource_alert_threshold must be from 0 to 100/, { defaultResourceAlertThreshold: -1 }],
  [/time_limits.create_app_inst_timeout must not be negative/, { timeLimits: { createAppInstTimeout: -1 } }],
  [/alliance_orgs\[1\] must not be there twice/, { allianceOrgs: ["Northtel", "Northtel"] }],
];

/** Rules about what a cloudlet may be. */
export const cloudletRuleCases: ApiCase[] = [
  {
    name: "a cloudlet that breaks rules is refused with all of its faults",
    async run(store) {
      await using world = await World.start({ store });
      for (const [pattern, more] of REFUSED) {
        const error = await refused(
          lines(world.api.cloudlets.createCloudlet(cloudlet(more))),
          Status.INVALID_ARGUMENT,
          pattern,
        );
        assert.doesNotMatch(error.message, /secret-word/);
      }
      const both = cloudlet({ numDynamicIps: 0, deployment: "vm", kafkaUser: "me" });
      await refused(
        lines(world.api.cloudlets.createCloudlet(both)),
        Status.INVALID_ARGUMENT,
        /deployment.*num_dynamic_ips.*kafka/s,
      );
      await refused(
        lines(world.api.cloudlets.createCloudlet(cloudlet({ flavor: { name: "none" } }))),
        Status.NOT_FOUND,
        /Flavor key .*none.* not found/,
      );
      await refused(
        lines(world.api.cloudlets.createCloudlet(cloudlet({ accessVars: { TOKEN: "secret-word" } }))),
        Status.FAILED_PRECONDITION,
        /keeps no secrets/,
      );
    },
  },
  {
    name: "a cloudlet's flavor is in use while it is there",
    async run(store) {
      await using world = await World.start({ store });
      await world.api.flavors.createFlavor(flavor("platform"));
      world.site().start().ready();
      await lines(world.api.cloudlets.createCloudlet(cloudlet({ flavor: { name: "platform" } })));
      await refused(
        world.api.flavors.deleteFlavor(flavor("platform")),
        Status.FAILED_PRECONDITION,
        /Flavor in use by Cloudlet/,
      );
      await lines(world.api.cloudlets.deleteCloudlet(cloudlet()));
      await world.api.flavors.deleteFlavor(flavor("platform"));
    },
  },
  {
    name: "credentials of a cloudlet are kept among the secrets, nowhere else, and go with it",
    async run(store) {
      const folder = await Deno.makeTempDir();
      try {
        await using world = await World.start({ store, secrets: folder });
        const secrets = await openTestSecrets(folder);
        const read = async (secret: "access" | "kafka") =>
          (await secrets.get(cloudletSecretPath("eu", CloudletKind.keyMessage.create(KEY), secret)))?.data;
        world.site().start().ready();
        const kafka = { kafkaCluster: "kafka:9092", kafkaUser: "me", kafkaPassword: "secret-word" };
        await lines(world.api.cloudlets.createCloudlet(cloudlet({ ...kafka, accessVars: { TOKEN: "secret-word" } })));
        assert.deepEqual(await read("access"), { TOKEN: "secret-word" });
        assert.deepEqual(await read("kafka"), { user: "me", password: "secret-word" });
        const made = await one(world);
        assert.deepEqual([made.kafkaCluster, made.kafkaUser, made.kafkaPassword], ["kafka:9092", "", ""]);
        assert.deepEqual(made.accessVars, {});
        const rows = (await store.scan("")).entries.map(({ value }) => new TextDecoder().decode(value)).join();
        assert.doesNotMatch(rows, /secret-word/);
        assert.doesNotMatch(JSON.stringify(world.log.records), /secret-word/);

        const update = cloudlet({ fields: ["44", "43"], kafkaUser: "you", kafkaPassword: "other-word" });
        await lines(world.api.cloudlets.updateCloudlet(update));
        assert.deepEqual(await read("kafka"), { user: "you", password: "other-word" });
        await lines(world.api.cloudlets.updateCloudlet(cloudlet({ fields: ["42"], kafkaCluster: "" })));
        assert.equal(await read("kafka"), undefined);
        await lines(world.api.cloudlets.deleteCloudlet(cloudlet()));
        assert.equal(await read("access"), undefined);
        secrets.close();
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  },
  {
    name: "operators in alliance are added and removed, and repeating that changes nothing",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { cloudlets } = world.api;
      const alliance = (organization: string) => CloudletAllianceOrg.create({ key: KEY, organization });
      await cloudlets.addCloudletAllianceOrg(alliance("Northtel"));
      await cloudlets.addCloudletAllianceOrg(alliance("Northtel"));
      await cloudlets.addCloudletAllianceOrg(alliance("Southtel"));
      assert.deepEqual((await one(world)).allianceOrgs, ["Northtel", "Southtel"]);
      await refused(
        cloudlets.addCloudletAllianceOrg(alliance("Bayline Inc.")),
        Status.INVALID_ARGUMENT,
        /alliance_orgs\[2\] must not be the cloudlet's own/,
      );
      await refused(
        cloudlets.addCloudletAllianceOrg(alliance("")),
        Status.INVALID_ARGUMENT,
        /organization is required/,
      );
      await cloudlets.removeCloudletAllianceOrg(alliance("Northtel"));
      await cloudlets.removeCloudletAllianceOrg(alliance("Northtel"));
      assert.deepEqual((await one(world)).allianceOrgs, ["Southtel"]);
      const other = CloudletAllianceOrg.create({ key: { ...KEY, name: "None" }, organization: "Northtel" });
      await refused(cloudlets.addCloudletAllianceOrg(other), Status.NOT_FOUND, /Cloudlet key .* not found/);
    },
  },
  {
    name: "a platform without a plugin is refused",
    async run(store) {
      await using world = await World.start({ store });
      const openstack = cloudlet({ platformType: PlatformType.PLATFORM_TYPE_OPENSTACK });
      await refused(lines(world.api.cloudlets.createCloudlet(openstack)), Status.INVALID_ARGUMENT, /platform_type/);
    },
  },
];
