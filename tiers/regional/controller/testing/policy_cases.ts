import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AlertPolicy,
  AutoProvPolicy,
  AutoProvPolicyCloudlet,
  AutoScalePolicy,
  CloudletPool,
  CloudletPoolMember,
  type DeepPartial,
  Settings,
  TrustPolicy,
  TrustPolicyException,
  TrustPolicyExceptionState,
} from "../../../../shared/schema/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, cloudlet, flavor, lines, World } from "./world.ts";

const KEY = { organization: "AtlasWorks", name: "policy" };
const RULE = { protocol: "tcp", portRangeMin: 443, remoteCidr: "8.8.0.0/16" };

/** Rules about the policies of developers and operators. */
export const policyCases: ApiCase[] = [
  {
    name: "auto-provisioning policies: counts fit, cloudlets exist once, and their places are copied",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 1 } });
      const { autoProv, cloudlets } = world.api;
      const edge = cloudlet().key;
      const policy = (more: DeepPartial<AutoProvPolicy> = {}) =>
        AutoProvPolicy.create({ key: KEY, deployClientCount: 3, cloudlets: [{ key: edge }], ...more });
      const error = await refused(
        autoProv.createAutoProvPolicy(policy({
          deployClientCount: 0,
          minActiveInstances: 3,
          maxInstances: 2,
          cloudlets: [{ key: edge }, { key: edge }],
        })),
        Status.INVALID_ARGUMENT,
        /max_instances/,
      );
      assert.match(error.message, /min_active_instances.*number of cloudlets, 2.*cloudlets\[1\]\.key.*twice/);
      await refused(
        autoProv.createAutoProvPolicy(policy({ deployClientCount: 0 })),
        Status.INVALID_ARGUMENT,
        /deploy_client_count.*nothing would/,
      );
      await refused(autoProv.createAutoProvPolicy(policy()), Status.NOT_FOUND, /Cloudlet key .*Edge.* not found/);
      await lines(cloudlets.createCloudlet(cloudlet()));
      await autoProv.createAutoProvPolicy(policy());
      const shown = async () => (await all(autoProv.showAutoProvPolicy(AutoProvPolicy.create())))[0]!;
      assert.equal((await shown()).cloudlets[0]!.loc?.latitude, 52.5);
      await lines(cloudlets.updateCloudlet(cloudlet({ fields: ["5.1"], location: { latitude: 10, longitude: 0 } })));
      assert.equal((await shown()).cloudlets[0]!.loc?.latitude, 10);
      await refused(
        lines(cloudlets.deleteCloudlet(cloudlet())),
        Status.FAILED_PRECONDITION,
        /Cloudlet in use by AutoProvPolicy {"organization":"AtlasWorks","name":"policy"}/,
      );
      const member = AutoProvPolicyCloudlet.create({ key: KEY, cloudletKey: edge });
      await refused(autoProv.addAutoProvPolicyCloudlet(member), Status.INVALID_ARGUMENT, /already exists/);
      await autoProv.removeAutoProvPolicyCloudlet(member);
      assert.deepEqual((await shown()).cloudlets, []);
      await autoProv.addAutoProvPolicyCloudlet(member);
      assert.equal((await shown()).cloudlets[0]!.loc?.latitude, 10);
      await autoProv.updateAutoProvPolicy(policy({ fields: ["6"], minActiveInstances: 2 }));
      await refused(
        autoProv.updateAutoProvPolicy(policy({ fields: ["7"], maxInstances: 1 })),
        Status.INVALID_ARGUMENT,
        /max_instances.*at least min_active_instances/,
      );
      await autoProv.deleteAutoProvPolicy(policy());
      await lines(cloudlets.deleteCloudlet(cloudlet()));
    },
  },
  {
    name: "auto-scale policies: by thresholds or by targets, never both, within ten nodes",
    async run(store) {
      await using world = await World.start({ store });
      const { autoScale } = world.api;
      const policy = (more: DeepPartial<AutoScalePolicy> = {}) =>
        AutoScalePolicy.create({ key: KEY, minNodes: 1, maxNodes: 3, ...more });
      const faulty: [DeepPartial<AutoScalePolicy>, RegExp][] = [
        [{}, /target_cpu.*must be set/],
        [{ targetCpu: 50, scaleUpCpuThresh: 80, scaleDownCpuThresh: 20 }, /scale_up_cpu_thresh.*together/],
        [{ scaleUpCpuThresh: 20, scaleDownCpuThresh: 20 }, /scale_up_cpu_thresh.*above scale_down/],
        [{ scaleUpCpuThresh: 101 }, /scale_up_cpu_thresh.*at most 100/],
        [{ targetCpu: 101, targetMem: 101 }, /target_cpu.*target_mem/],
        [{ targetActiveConnections: 1e12 + 1 }, /target_active_connections/],
        [{ targetCpu: 50, maxNodes: 11 }, /max_nodes.*at most 10/],
        [{ targetCpu: 50, maxNodes: 1 }, /max_nodes.*above min_nodes/],
        [{ targetCpu: 50, key: { organization: "AtlasWorks " } }, /key\.organization/],
      ];
      for (const [more, message] of faulty) {
        await refused(autoScale.createAutoScalePolicy(policy(more)), Status.INVALID_ARGUMENT, message);
      }
      await autoScale.createAutoScalePolicy(policy({ targetCpu: 50 }));
      const [stored] = await all(autoScale.showAutoScalePolicy(AutoScalePolicy.create()));
      assert.equal(stored!.stabilizationWindowSec, 300);
      await refused(
        autoScale.updateAutoScalePolicy(policy({ fields: ["4"], maxNodes: 1 })),
        Status.INVALID_ARGUMENT,
        /max_nodes/,
      );
      await autoScale.updateAutoScalePolicy(policy({ fields: ["4", "10"], maxNodes: 4, targetMem: 70 }));
      const [now] = await all(autoScale.showAutoScalePolicy(AutoScalePolicy.create()));
      assert.deepEqual([now!.maxNodes, now!.targetCpu, now!.targetMem], [4, 50, 70]);
      await refused(
        autoScale.updateAutoScalePolicy(policy({ fields: ["12"], deletePrepare: true })),
        Status.INVALID_ARGUMENT,
        /delete_prepare.*set by the platform/,
      );
      await autoScale.deleteAutoScalePolicy(policy());
    },
  },
  {
    name: "alert policies: one kind of limit, a severity, and a time that the settings allow",
    async run(store) {
      await using world = await World.start({ store });
      const { alertPolicies, settings } = world.api;
      const policy = (more: DeepPartial<AlertPolicy> = {}) =>
        AlertPolicy.create({ key: KEY, severity: "warning", triggerTime: 60e9, cpuUtilizationLimit: 80, ...more });
      const faulty: [DeepPartial<AlertPolicy>, RegExp][] = [
        [{ cpuUtilizationLimit: 0 }, /cpu_utilization_limit.*one of the other limits/],
        [{ cpuUtilizationLimit: 101 }, /cpu_utilization_limit.*at most 100/],
        [{ memUtilizationLimit: 5, activeConnLimit: 7 }, /cpu_utilization_limit.*mem_utilization_limit.*together/],
        [{ severity: "fatal" }, /severity.*info, warning or error/],
        [{ severity: "", triggerTime: 0 }, /severity.*required.*trigger_time.*required/],
        [{ triggerTime: 29e9 }, /trigger_time.*from 30s to 72h0m0s/],
        [{ triggerTime: 73 * 3600e9 }, /trigger_time/],
      ];
      for (const [more, message] of faulty) {
        await refused(alertPolicies.createAlertPolicy(policy(more)), Status.INVALID_ARGUMENT, message);
      }
      await settings.updateSettings(Settings.create({ alertPolicyMinTriggerTime: 10e9, fields: ["36"] }));
      await alertPolicies.createAlertPolicy(policy({ triggerTime: 10e9, labels: { team: "a" } }));
      await refused(
        alertPolicies.updateAlertPolicy(policy({ fields: ["6"], activeConnLimit: 5 })),
        Status.INVALID_ARGUMENT,
        /together with active_conn_limit/,
      );
      await alertPolicies.updateAlertPolicy(
        policy({ fields: ["3", "6", "9"], cpuUtilizationLimit: 0, activeConnLimit: 5, labels: { team: "b" } }),
      );
      const [now] = await all(alertPolicies.showAlertPolicy(AlertPolicy.create({ labels: { team: "b" } })));
      assert.deepEqual([now!.activeConnLimit, now!.cpuUtilizationLimit, now!.triggerTime], [5, 0, 10e9]);
      await alertPolicies.deleteAlertPolicy(policy());
    },
  },
  {
    name: "policies that an app names must exist in its organization, and stay while it does",
    async run(store) {
      await using world = await World.start({ store });
      const { autoProv, alertPolicies, flavors, apps } = world.api;
      const alert = AlertPolicy.create({ key: KEY, severity: "info", triggerTime: 60e9, cpuUtilizationLimit: 80 });
      const prov = AutoProvPolicy.create({ key: KEY, deployClientCount: 1 });
      await flavors.createFlavor(flavor());
      const wanted = app({ autoProvPolicies: ["policy"], alertPolicies: ["policy", "other"] });
      const error = await refused(apps.createApp(wanted), Status.NOT_FOUND, /AutoProvPolicy key .*"policy"} not found/);
      assert.match(error.message, /AlertPolicy key .*"policy"} not found; AlertPolicy key .*"other"} not found/);
      await autoProv.createAutoProvPolicy(prov);
      await alertPolicies.createAlertPolicy(alert);
      await apps.createApp(app({ autoProvPolicies: ["policy"], alertPolicies: ["policy"] }));
      await refused(autoProv.deleteAutoProvPolicy(prov), Status.FAILED_PRECONDITION, /AutoProvPolicy in use by App/);
      await refused(alertPolicies.deleteAlertPolicy(alert), Status.FAILED_PRECONDITION, /AlertPolicy in use by App/);
      await apps.deleteApp(app());
      await autoProv.deleteAutoProvPolicy(prov);
      await alertPolicies.deleteAlertPolicy(alert);
    },
  },
  {
    name: "trust policies are checked rule by rule and kept in one form",
    async run(store) {
      await using world = await World.start({ store });
      const { trustPolicies } = world.api;
      const policy = (rules: DeepPartial<TrustPolicy["outboundSecurityRules"][number]>[], fields: string[] = []) =>
        TrustPolicy.create({ key: KEY, outboundSecurityRules: rules, fields });
      const error = await refused(
        lines(trustPolicies.createTrustPolicy(policy([RULE, { protocol: "sctp" }, { ...RULE, portRangeMin: 0 }]))),
        Status.INVALID_ARGUMENT,
        /outbound_security_rules\[1\]\.protocol/,
      );
      assert.match(error.message, /outbound_security_rules\[2\]\.port_range_min/);
      assert.deepEqual(await lines(trustPolicies.createTrustPolicy(policy([RULE]))), ["Created trust policy"]);
      const shown = async () => (await all(trustPolicies.showTrustPolicy(TrustPolicy.create())))[0]!;
      assert.deepEqual((await shown()).outboundSecurityRules, [{ ...RULE, protocol: "TCP", portRangeMax: 443 }]);
      const icmp = { protocol: "icmp", remoteCidr: "0.0.0.0/0" };
      await lines(trustPolicies.updateTrustPolicy(policy([icmp], ["3"])));
      assert.equal((await shown()).outboundSecurityRules[0]!.protocol, "ICMP");
      await lines(trustPolicies.deleteTrustPolicy(policy([])));
    },
  },
  {
    name: "trust policy exceptions are asked for by trusted apps, decided once, and hold pool and app",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 1 } });
      const { exceptions, pools, flavors, apps, cloudlets } = world.api;
      const { TRUST_POLICY_EXCEPTION_STATE_ACTIVE: active, TRUST_POLICY_EXCEPTION_STATE_APPROVAL_REQUESTED: asked } =
        TrustPolicyExceptionState;
      const pool = CloudletPool.create({ key: { organization: "Bayline Inc.", name: "pool" } });
      const exception = (more: DeepPartial<TrustPolicyException> = {}) =>
        TrustPolicyException.create({
          key: { appKey: app().key, cloudletPoolKey: pool.key, name: "web" },
          outboundSecurityRules: [RULE],
          ...more,
        });
      const create = exceptions.createTrustPolicyException;
      await refused(create(exception()), Status.NOT_FOUND, /App key .* not found; CloudletPool key .* not found/);
      await flavors.createFlavor(flavor());
      await apps.createApp(app());
      await lines(cloudlets.createCloudlet(cloudlet()));
      await pools.createCloudletPool(pool);
      await refused(create(exception()), Status.FAILED_PRECONDITION, /App .* is not trusted/);
      await apps.updateApp(app({ fields: ["37"], trusted: true }));
      await refused(
        create(exception({ outboundSecurityRules: [], key: { name: "" } })),
        Status.INVALID_ARGUMENT,
        /key\.name.*outbound_security_rules.*at least one rule/,
      );
      await create(exception({ state: active }));
      const shown = async () => (await all(exceptions.showTrustPolicyException(TrustPolicyException.create())))[0]!;
      assert.equal((await shown()).state, asked);

      const update = (more: DeepPartial<TrustPolicyException>) =>
        exceptions.updateTrustPolicyException(exception(more));
      await refused(update({ fields: ["3"], state: 0 }), Status.INVALID_ARGUMENT, /state.*Active or Rejected/);
      await update({ fields: ["4"], outboundSecurityRules: [{ ...RULE, portRangeMin: 80 }] });
      await update({ fields: ["4"], outboundSecurityRules: [] });
      assert.equal((await shown()).outboundSecurityRules[0]!.portRangeMin, 80);
      await update({ fields: ["3"], state: active });
      await refused(
        update({ fields: ["4"] }),
        Status.INVALID_ARGUMENT,
        /outbound_security_rules.*only while approval is requested/,
      );
      await refused(update({ fields: ["3"], state: asked }), Status.INVALID_ARGUMENT, /state/);

      await refused(
        pools.updateCloudletPool({ ...pool, cloudlets: [cloudlet().key], fields: ["3"] }),
        Status.FAILED_PRECONDITION,
        /CloudletPool in use by TrustPolicyException/,
      );
      await pools.addCloudletPoolMember(CloudletPoolMember.create({ key: pool.key, cloudlet: { name: "Edge" } }));
      await refused(pools.deleteCloudletPool(pool), Status.FAILED_PRECONDITION, /in use by TrustPolicyException/);
      await refused(apps.deleteApp(app()), Status.FAILED_PRECONDITION, /App in use by TrustPolicyException/);
      await exceptions.deleteTrustPolicyException(exception());
      await pools.deleteCloudletPool(pool);
      await apps.deleteApp(app());
    },
  },
];
