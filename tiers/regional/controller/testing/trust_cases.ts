import { Status } from "../../../../shared/rpc/mod.ts";
import {
  CloudletInfoKind,
  CloudletPool,
  CloudletPoolMember,
  PlatformType,
  TrustPolicy,
  TrustPolicyException,
  TrustPolicyExceptionState,
} from "../../../../shared/schema/mod.ts";
import { EDGE, machine, putCloudlet } from "./app_cases.ts";
import { interruptedStore } from "./interrupted_store.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, cloudlet, flavor, instance, lines, until, World } from "./world.ts";

/** What trust policies and exceptions mean for apps that run. */
export const trustCases: ApiCase[] = [
  {
    name: "where a trust policy is in force, apps must be trusted, and stay so",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps, instances, trustPolicies, pools, exceptions } = world.api;
      await flavors.createFlavor(flavor());
      const policyKey = { organization: EDGE.organization, name: "tp" };
      await lines(trustPolicies.createTrustPolicy(TrustPolicy.create({
        key: policyKey,
        outboundSecurityRules: [{ protocol: "tcp", portRangeMin: 443, remoteCidr: "8.100.0.0/16" }],
      })));
      world.site().start().ready();
      await putCloudlet(
        store,
        cloudlet({ platformType: PlatformType.PLATFORM_TYPE_FAKE, trustPolicy: "tp", envVar: {} }),
      );
      await until(() => world.controller.cache.table(CloudletInfoKind).size === 1, "the site has reported");
      await apps.createApp(machine());
      await refused(
        lines(instances.createAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /App .*Echo.* may not run on cloudlet .*Edge.*: the app is not trusted/,
      );
      const outward = (remoteCidr: string) => [{ protocol: "tcp", portRangeMin: 443, portRangeMax: 443, remoteCidr }];
      await apps.updateApp(
        machine({ fields: ["37", "38"], trusted: true, requiredOutboundConnections: outward("9.9.9.0/24") }),
      );
      await refused(
        lines(instances.createAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /allows TCP 443 to 9\.9\.9/,
      );
      await apps.updateApp(machine({ fields: ["38"], requiredOutboundConnections: outward("8.100.7.0/24") }));
      await lines(instances.createAppInst(instance()));

      await refused(
        apps.updateApp(machine({ fields: ["37"], trusted: false })),
        Status.FAILED_PRECONDITION,
        /would not be trusted: on cloudlet .*Edge.* the app is not trusted/,
      );
      const changed = (portRangeMin: number) => ({
        ...TrustPolicy.create({ key: policyKey, fields: ["3"] }),
        outboundSecurityRules: outward("8.0.0.0/8").map((rule) => ({ ...rule, portRangeMin })),
      });
      await refused(
        lines(trustPolicies.updateTrustPolicy(changed(444))),
        Status.INVALID_ARGUMENT,
        /port_range_max/,
      );
      await refused(
        lines(trustPolicies.updateTrustPolicy({ ...changed(1), outboundSecurityRules: [] })),
        Status.FAILED_PRECONDITION,
        /would not be trusted: App .*Echo.* on cloudlet .*Edge.*TCP 443 to 8\.100\.7/,
      );
      await lines(trustPolicies.updateTrustPolicy(changed(1)));
      await lines(instances.deleteAppInst(instance()));
      const poolKey = { organization: EDGE.organization, name: "pool" };
      await pools.createCloudletPool(CloudletPool.create({ key: poolKey, cloudlets: [EDGE] }));
      const exception = TrustPolicyException.create({
        key: { appKey: app().key, cloudletPoolKey: poolKey, name: "tpe" },
        outboundSecurityRules: outward("9.9.0.0/16"),
      });
      await exceptions.createTrustPolicyException(exception);
      await apps.updateApp(machine({ fields: ["38"], requiredOutboundConnections: outward("9.9.9.0/24") }));
      await refused(lines(instances.createAppInst(instance())), Status.FAILED_PRECONDITION, /active exception/);
      await exceptions.updateTrustPolicyException({
        ...exception,
        fields: ["3"],
        state: TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE,
      });
      await lines(instances.createAppInst(instance()));
      // While the instance relies on it, the exception stays, and the cloudlet stays in its pool.
      const relied = /would not be trusted: App .*Echo.* on cloudlet .*Edge.* allows TCP 443 to 9\.9\.9/;
      const reject = () =>
        exceptions.updateTrustPolicyException({
          ...exception,
          fields: ["3"],
          state: TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_REJECTED,
        });
      const leave = () => pools.removeCloudletPoolMember(CloudletPoolMember.create({ key: poolKey, cloudlet: EDGE }));
      const failed = Status.FAILED_PRECONDITION;
      await refused(reject(), failed, relied);
      await refused(exceptions.deleteTrustPolicyException(exception), failed, relied);
      await refused(leave(), failed, relied);
      // Another one that allows the same makes it dispensable.
      const second = { ...exception, key: { ...exception.key, name: "also" } };
      await exceptions.createTrustPolicyException(second);
      await refused(reject(), failed, relied);
      await exceptions.updateTrustPolicyException({
        ...second,
        fields: ["3"],
        state: TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE,
      });
      await reject();
      await refused(exceptions.deleteTrustPolicyException(second), failed, relied);
      await refused(leave(), failed, relied);
      await lines(instances.deleteAppInst(instance()));
      await leave();
      await exceptions.deleteTrustPolicyException(second);
      await refused(
        apps.updateApp(machine({ fields: ["37"], trusted: false })),
        Status.FAILED_PRECONDITION,
        /App in use by TrustPolicyException/,
      );
      await refused(apps.deleteApp(machine()), Status.FAILED_PRECONDITION, /App in use by TrustPolicyException/);
    },
  },
  {
    name: "of an instance that needs an exception and the end of that exception at two controllers, one is refused",
    async run(store) {
      const [atEnd, atInstance] = [interruptedStore(store), interruptedStore(store)];
      await using world = await World.start({ store: atEnd.store });
      await using second = await World.start({ store: atInstance.store, parts: { id: "two" } });
      await world.api.flavors.createFlavor(flavor());
      const policyKey = { organization: EDGE.organization, name: "tp" };
      await lines(world.api.trustPolicies.createTrustPolicy(TrustPolicy.create({
        key: policyKey,
        outboundSecurityRules: [{ protocol: "tcp", portRangeMin: 443, remoteCidr: "8.100.0.0/16" }],
      })));
      world.site().start().ready();
      const platformType = PlatformType.PLATFORM_TYPE_FAKE;
      await putCloudlet(store, cloudlet({ platformType, trustPolicy: "tp", envVar: {} }));
      const outboundSecurityRules = [
        { protocol: "tcp", portRangeMin: 443, portRangeMax: 443, remoteCidr: "9.9.9.0/24" },
      ];
      await world.api.apps.createApp(
        machine({ trusted: true, requiredOutboundConnections: outboundSecurityRules }),
      );
      const pool = CloudletPool.create({
        key: { organization: EDGE.organization, name: "pool" },
        cloudlets: [EDGE],
      });
      await world.api.pools.createCloudletPool(pool);
      const key = { appKey: app().key, cloudletPoolKey: pool.key, name: "tpe" };
      const exception = TrustPolicyException.create({ key, outboundSecurityRules });
      for (const controller of [world, second]) {
        await until(() => controller.controller.cache.table(CloudletInfoKind).size === 1, "the site has reported");
      }
      const ready = async () => {
        await world.api.exceptions.createTrustPolicyException(exception);
        await world.api.exceptions.updateTrustPolicyException({
          ...exception,
          fields: ["3"],
          state: TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE,
        });
        await until(async () => {
          const found = await all(second.api.exceptions.showTrustPolicyException(TrustPolicyException.create()));
          return found[0]?.state === TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE;
        }, "both know that it is active");
      };
      const end = () => world.api.exceptions.deleteTrustPolicyException(exception);
      const create = () => lines(second.api.instances.createAppInst(instance()));
      // Each has been checked when the other comes in between.
      await ready();
      atInstance.before("/v1/AppInst/", async () => void await end());
      await refused(create(), Status.FAILED_PRECONDITION, /may not run on cloudlet/);
      await ready();
      atEnd.before("/v1/TrustPolicyException/", async () => void await create());
      await refused(end(), Status.FAILED_PRECONDITION, /would not be trusted/);
    },
  },
];
