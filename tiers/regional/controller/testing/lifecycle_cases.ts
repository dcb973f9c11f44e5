import assert from "node:assert/strict";
import { createNotifyClient, roundRobin, typedOwned, typedReplica } from "../../../../shared/notify/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AlertKind,
  AppInst,
  AutoProvInfo,
  AutoProvInfoKind,
  Cloudlet,
  CloudletKind,
  CRMOverride,
  type DeepPartial,
  dme,
  PlatformType,
  TrackedState,
  TrustPolicy,
} from "../../../../shared/schema/mod.ts";
import { cutStore } from "./cut_store.ts";
import { type ApiCase, leftovers, one, refused } from "./support.ts";
import { all, app, cloudlet, flavor, furnish, instance, lines, until, World } from "./world.ts";

const S = TrackedState;
const M = dme.MaintenanceState;
const FAKE = PlatformType.PLATFORM_TYPE_FAKE;

function maintain(state: dme.MaintenanceState, more: DeepPartial<Cloudlet> = {}): Cloudlet {
  return cloudlet({ fields: ["30"], maintenanceState: state, ...more });
}

/** An auto-provisioner that answers requests to fail instances over. */
function autoProvisioner(address: string, answer: DeepPartial<AutoProvInfo>) {
  const client = createNotifyClient({
    service: "auto-provisioner",
    region: "eu",
    wants: [CloudletKind.kind],
    owns: [AutoProvInfoKind.kind],
    connect: roundRobin([address], () => ({})),
    backoff: { initialMs: 10, maxMs: 100 },
  });
  const info = typedOwned(client.own(AutoProvInfoKind.kind), AutoProvInfoKind);
  typedReplica(client.replica(CloudletKind.kind), CloudletKind).subscribe({
    update({ key, maintenanceState }) {
      if (maintenanceState === M.FAILOVER_REQUESTED) info.put(AutoProvInfo.create({ key, ...answer }));
    },
    remove() {},
  });
  client.start();
  return client;
}

/** A cloudlet of a platform with trust policies, and a policy that allows HTTPS. */
async function trusting(world: World) {
  const site = world.site().start().ready();
  await lines(world.api.cloudlets.createCloudlet(cloudlet({ platformType: FAKE, envVar: {} })));
  await lines(world.api.trustPolicies.createTrustPolicy(policy(443)));
  return site;
}

function policy(port: number, more: DeepPartial<TrustPolicy> = {}): TrustPolicy {
  const rule = { protocol: "TCP", portRangeMin: port, portRangeMax: port, remoteCidr: "0.0.0.0/0" };
  return TrustPolicy.create({
    key: { organization: "Bayline Inc.", name: "strict" },
    outboundSecurityRules: [rule],
    ...more,
  });
}

/** Rules about the life of cloudlets. */
export const lifecycleCases: ApiCase[] = [
  {
    name: "a cloudlet goes into maintenance when its site has, and is closed for work until it is back",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      const { cloudlets, instances } = world.api;
      const start = maintain(M.MAINTENANCE_START_NO_FAILOVER);
      assert.deepEqual(await lines(cloudlets.updateCloudlet(start)), [
        "Waiting for the cloudlet's resource manager",
        "Cloudlet is under maintenance",
        "Updated cloudlet",
      ]);
      assert.equal((await one(world)).maintenanceState, M.UNDER_MAINTENANCE);
      await refused(lines(instances.createAppInst(instance())), Status.FAILED_PRECONDITION, /under maintenance/);
      await refused(
        lines(cloudlets.updateCloudlet(start)),
        Status.INVALID_ARGUMENT,
        /maintenance_state can only be set from NormalOperation, not from UnderMaintenance/,
      );
      site.behaviour = { maintain: () => ({ errors: ["a machine does not start"] }) };
      const end = maintain(M.NORMAL_OPERATION);
      await refused(lines(cloudlets.updateCloudlet(end)), Status.UNKNOWN, /a machine does not start/);
      assert.equal((await one(world)).maintenanceState, M.UNDER_MAINTENANCE);
      site.behaviour = {};
      assert.ok((await lines(cloudlets.updateCloudlet(end))).includes("Cloudlet is back in normal operation"));
      await lines(instances.createAppInst(instance()));
      for (
        const [more, fault] of [
          [maintain(M.CRM_REQUESTED), /must be one of NormalOperation, MaintenanceStart, Maint/],
          [maintain(M.MAINTENANCE_START, { fields: ["30", "19"], envVar: { A: "b" } }), /together with env_var/],
        ] as const
      ) await refused(lines(cloudlets.updateCloudlet(more)), Status.INVALID_ARGUMENT, fault);
      const created = maintain(M.MAINTENANCE_START, { key: { organization: "Bayline Inc.", name: "Other" } });
      await refused(lines(cloudlets.createCloudlet(created)), Status.INVALID_ARGUMENT, /by an update only/);
    },
  },
  {
    name: "maintenance that is not answered in time is taken back; without the site it needs no answer",
    async run(store) {
      await using world = await World.start({ store, timeouts: { cloudletMaintenanceMs: 100 } });
      const site = await furnish(world);
      site.behaviour = { maintain: () => "silent" };
      const { cloudlets } = world.api;
      const start = maintain(M.MAINTENANCE_START_NO_FAILOVER);
      await refused(lines(cloudlets.updateCloudlet(start)), Status.DEADLINE_EXCEEDED, /NormalOperation as before/);
      const made = await one(world);
      assert.deepEqual([made.maintenanceState, made.state], [M.NORMAL_OPERATION, S.READY]);
      await lines(cloudlets.updateCloudlet({ ...start, crmOverride: CRMOverride.IGNORE_CRM }));
      assert.equal((await one(world)).maintenanceState, M.UNDER_MAINTENANCE);
      const end = maintain(M.NORMAL_OPERATION);
      await lines(cloudlets.updateCloudlet({ ...end, crmOverride: CRMOverride.IGNORE_CRM }));
      assert.equal((await one(world)).maintenanceState, M.NORMAL_OPERATION);
    },
  },
  {
    name: "instances are failed over before maintenance, by an auto-provisioner if there is one",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { cloudlets } = world.api;
      const start = maintain(M.MAINTENANCE_START);
      await refused(lines(cloudlets.updateCloudlet(start)), Status.UNAVAILABLE, /No auto-provisioner is connected/);
      assert.equal((await one(world)).maintenanceState, M.NORMAL_OPERATION);

      const helpless = { maintenanceState: M.FAILOVER_ERROR, errors: ["Echo has no other cloudlet"] };
      let other = autoProvisioner(world.notifyAddress, helpless);
      await other.whenInStep();
      await refused(lines(cloudlets.updateCloudlet(start)), Status.UNKNOWN, /Echo has no other cloudlet/);
      assert.equal((await one(world)).maintenanceState, M.NORMAL_OPERATION);
      await other.stop();

      other = autoProvisioner(world.notifyAddress, {
        maintenanceState: M.FAILOVER_DONE,
        completed: ["Moved Echo to Other"],
      });
      await other.whenInStep();
      assert.deepEqual(await lines(cloudlets.updateCloudlet(start)), [
        "Waiting for the auto-provisioner to fail instances over",
        "Moved Echo to Other",
        "Waiting for the cloudlet's resource manager",
        "Cloudlet is under maintenance",
        "Updated cloudlet",
      ]);
      await other.stop();
    },
  },
  {
    name: "a trust policy is in force when the site says so, for new rules, too",
    async run(store) {
      await using world = await World.start({ store, timeouts: { updateTrustPolicyMs: 100 } });
      const { cloudlets, trustPolicies } = world.api;
      const site = await trusting(world);
      const choose = (name: string) =>
        lines(cloudlets.updateCloudlet(cloudlet({ fields: ["37"], trustPolicy: name, platformType: FAKE })));
      await refused(choose("none"), Status.NOT_FOUND, /TrustPolicy key .* not found/);
      assert.deepEqual(await choose("strict"), ["Updated cloudlet"]);
      assert.equal((await one(world)).trustPolicyState, S.READY);

      const update = (port: number) => lines(trustPolicies.updateTrustPolicy(policy(port, { fields: ["3"] })));
      assert.match((await update(8443))[0]!, /Updated the trust policy's rules/);
      site.behaviour = { trust: () => ({ errors: ["no firewall"] }) };
      await refused(update(9443), Status.UNKNOWN, /Encountered failures: .*no firewall/);
      const [kept] = await all(trustPolicies.showTrustPolicy(TrustPolicy.create()));
      assert.equal(kept!.outboundSecurityRules[0]!.portRangeMin, 8443);
      assert.equal((await one(world)).trustPolicyState, S.UPDATE_ERROR);

      site.behaviour = { trust: () => "silent" };
      await refused(choose(""), Status.DEADLINE_EXCEEDED, /did not begin/);
      assert.equal((await one(world)).trustPolicyState, S.UPDATE_ERROR);
      site.behaviour = {};
      await choose("strict");
      await choose("");
      assert.equal((await one(world)).trustPolicyState, S.NOT_PRESENT);
      assert.match((await update(443))[0]!, /Updated trust policy/);
    },
  },
  {
    name: "a cloudlet that does not begin to update has failed to; without the site it is as it should be at once",
    async run(store) {
      await using world = await World.start({ store, timeouts: { updateCloudletMs: 100 } });
      await furnish(world);
      const { cloudlets } = world.api;
      // A site that says of itself that it is ready, and then nothing any more.
      const quiet = world.site("Quiet").start().ready();
      const key = { organization: "Bayline Inc.", name: "Quiet" };
      await lines(cloudlets.createCloudlet(cloudlet({ key })));
      await quiet.client.stop();
      const update = cloudlet({ key, fields: ["19"], envVar: { A: "b" } });
      await refused(lines(cloudlets.updateCloudlet(update)), Status.DEADLINE_EXCEEDED, /did not begin to update/);
      const state = async () => {
        const [found] = await all(cloudlets.showCloudlet(Cloudlet.create({ key })));
        return [found!.state, found!.envVar["A"]];
      };
      assert.deepEqual(await state(), [S.UPDATE_ERROR, "b"]);
      const forced = { ...cloudlet({ key: { ...key, name: "Bare" } }), crmOverride: CRMOverride.IGNORE_CRM };
      assert.deepEqual(await lines(cloudlets.createCloudlet(forced)), ["Created cloudlet, without its site"]);
    },
  },
  {
    name: "a site that is gone raises alerts about itself and its instances, which go when it is back",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      await site.stop();
      const raised = () =>
        [...world.controller.cache.table(AlertKind).values()].map(({ labels }) =>
          [labels["alertname"], labels["cloudlet"], labels["status"] ?? ""].join(" ")
        ).sort();
      await until(() => raised().length === 2, "alerts are raised");
      assert.deepEqual(raised(), ["AppInstDown Edge CloudletOffline", "CloudletDown Edge "]);
      world.site().start().ready();
      await until(() => raised().length === 0, "alerts are cleared");
      const [back] = await all(world.api.instances.showAppInst(AppInst.create()));
      await until(
        async () =>
          (await all(world.api.instances.showAppInst(AppInst.create())))[0]!.healthCheck ===
            dme.HealthCheck.HEALTH_CHECK_OK,
        "the instance is well",
      );
      assert.equal(back!.state, S.READY);
    },
  },
  {
    name: "maintenance and policies that a dead controller had asked for are carried on",
    async run(store) {
      const cut = cutStore(store);
      await using two = await World.start({ store, parts: { id: "two" } });
      const site = await furnish(two);
      const one = await World.start({ store: cut.store });
      try {
        site.behaviour = { maintain: () => "silent" };
        const asked = lines(one.api.cloudlets.updateCloudlet(maintain(M.MAINTENANCE_START_NO_FAILOVER)));
        asked.catch(() => {});
        const state = () => two.controller.cache.get(CloudletKind, site.key)?.maintenanceState;
        await until(() => state() === M.CRM_REQUESTED, "the site is asked");
        await cut.kill();
        site.ready({ maintenanceState: M.CRM_UNDER_MAINTENANCE });
        await until(() => state() === M.UNDER_MAINTENANCE, "the other controller has carried on");
        await until(async () => (await store.scan("/v1/Operation/")).entries.length === 0, "the operation has ended");
      } finally {
        await one[Symbol.asyncDispose]();
      }
    },
  },
  {
    name: "what only a cloudlet had use for goes with it, and what others made keeps it",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      await lines(world.api.instances.createAppInst(instance()));
      const { cloudlets, instances, apps, flavors } = world.api;
      await refused(lines(cloudlets.deleteCloudlet(cloudlet())), Status.FAILED_PRECONDITION, /in use by AppInst/);
      await lines(instances.deleteAppInst(instance()));
      await lines(cloudlets.deleteCloudlet(cloudlet()));
      await apps.deleteApp(app());
      await flavors.deleteFlavor(flavor());
      assert.deepEqual(await leftovers(store), []);
    },
  },
];
