import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { type DeepPartial, fromJson, maskFromJson, Settings, TrackedState } from "../../../../shared/schema/mod.ts";
import { transaction } from "../../../../shared/store/mod.ts";
import { encodeRow } from "../state/rows.ts";
import { currentSettings } from "../state/settings.ts";
import { type ApiCase, one, refused } from "./support.ts";
import { cloudlet, flavor, lines, World } from "./world.ts";

/** An update of settings that names what its JSON names. */
function settings(json: Record<string, unknown>): Settings {
  return Settings.create(
    { ...fromJson(Settings, json), fields: maskFromJson(Settings, json) } as DeepPartial<Settings>,
  );
}

/** Rules about the settings of a region. */
export const settingsCases: ApiCase[] = [
  {
    name: "settings have defaults from the first start, are updated by mask and reset",
    async run(store) {
      await using world = await World.start({ store });
      const api = world.api.settings;
      const first = await api.showSettings(Settings.create());
      assert.equal(first.createAppInstTimeout, 1800e9);
      assert.equal(first.influxDbCloudletUsageMetricsRetention, 8760 * 3600e9);
      assert.equal(first.edgeEventsMetricsContinuousQueriesCollectionIntervals.length, 3);
      assert.equal((await store.scan("/v1/Settings/")).entries.length, 1);
      await api.updateSettings(settings({
        create_app_inst_timeout: "45m",
        influx_db_metrics_retention: "0s",
        auto_deploy_offset_sec: 0,
        disable_rate_limit: true,
      }));
      const second = await api.showSettings(Settings.create());
      assert.deepEqual(
        [second.createAppInstTimeout, second.influxDbMetricsRetention, second.autoDeployOffsetSec],
        [2700e9, 0, 0],
      );
      assert.deepEqual(
        {
          ...second,
          createAppInstTimeout: 0,
          influxDbMetricsRetention: 0,
          autoDeployOffsetSec: 0,
          disableRateLimit: false,
        },
        { ...first, createAppInstTimeout: 0, influxDbMetricsRetention: 0, autoDeployOffsetSec: 0 },
      );
      assert.deepEqual(currentSettings(world.controller.cache), second);
      await api.resetSettings(Settings.create());
      assert.deepEqual(await api.showSettings(Settings.create()), first);
    },
  },
  {
    name: "faulty settings are refused together, single ones and those that do not fit each other",
    async run(store) {
      await using world = await World.start({ store });
      const api = world.api.settings;
      const update = (json: Record<string, unknown>) => api.updateSettings(settings(json));
      await refused(api.updateSettings(Settings.create()), Status.INVALID_ARGUMENT, /fields.*what to update/);
      const error = await refused(
        update({
          shepherd_health_check_retries: 0,
          create_cloudlet_timeout: "-1s",
          auto_deploy_interval_sec: "Infinity",
          auto_deploy_offset_sec: -1,
          cleanup_reservable_auto_cluster_idletime: "30s",
          appinst_client_cleanup_interval: "2s",
          resource_snapshot_thread_interval: "5s",
          platform_ha_instance_poll_interval: "10ms",
          platform_ha_instance_active_expire_time: "499ms",
          shepherd_alert_evaluation_interval: "14s",
          edge_events_metrics_continuous_queries_collection_intervals: [{ interval: "1h", retention: "2h" }],
        }),
        Status.INVALID_ARGUMENT,
        /shepherd_health_check_retries.*above 0/,
      );
      for (
        const part of [
          /create_cloudlet_timeout.*above 0/,
          /auto_deploy_interval_sec/,
          /auto_deploy_offset_sec.*at least 0/,
          /cleanup_reservable_auto_cluster_idletime.*above 30s/,
          /appinst_client_cleanup_interval.*above 2s/,
          /resource_snapshot_thread_interval.*above 30s/,
          /platform_ha_instance_poll_interval.*above 10ms/,
          /platform_ha_instance_active_expire_time.*at least 500ms/,
          /shepherd_alert_evaluation_interval.*shepherd_metrics_scrape_interval/,
          /collection_intervals\[0\]\.interval.*edge_events_metrics_collection_interval/,
        ]
      ) assert.match(error.message, part);
      await refused(
        update({ platform_ha_instance_poll_interval: "2s" }),
        Status.INVALID_ARGUMENT,
        /platform_ha_instance_active_expire_time.*above platform_ha_instance_poll_interval/,
      );
      await update({ platform_ha_instance_poll_interval: "2s", platform_ha_instance_active_expire_time: "3s" });
    },
  },
  {
    name: "the flavor of master nodes must exist, and cannot be deleted while it is set",
    async run(store) {
      await using world = await World.start({ store });
      const { settings: api, flavors } = world.api;
      await refused(
        api.updateSettings(settings({ master_node_flavor: "small" })),
        Status.NOT_FOUND,
        /Flavor key {"name":"small"} not found/,
      );
      await flavors.createFlavor(flavor());
      await api.updateSettings(settings({ master_node_flavor: "small" }));
      await refused(flavors.deleteFlavor(flavor()), Status.FAILED_PRECONDITION, /Flavor in use by Settings/);
      await api.updateSettings(settings({ master_node_flavor: "" }));
      await flavors.deleteFlavor(flavor());
    },
  },
  {
    name: "waits for sites take their length from the settings as they are",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: undefined } });
      await world.api.settings.updateSettings(settings({ create_cloudlet_timeout: "50ms" }));
      const said = await lines(world.api.cloudlets.createCloudlet(cloudlet()));
      assert.match(said.at(-1)!, /has not connected yet/);
      assert.equal((await one(world)).state, TrackedState.CREATING);
    },
  },
  {
    name: "fields that a stored row lacks get their defaults at the next start, zeros that mean something stay",
    async run(store) {
      {
        await using _world = await World.start({ store });
      }
      await transaction(store, (tx) => {
        tx.put("/v1/Settings/{}", encodeRow({ create_app_inst_timeout: "45m", influx_db_metrics_retention: "0s" }));
        return Promise.resolve();
      });
      await using world = await World.start({ store });
      const now = await world.api.settings.showSettings(Settings.create());
      assert.deepEqual(
        [now.createAppInstTimeout, now.influxDbMetricsRetention, now.maxTrackedDmeClients],
        [2700e9, 0, 100],
      );
      const { entry } = await store.get("/v1/Settings/{}");
      assert.match(new TextDecoder().decode(entry!.value), /"max_tracked_dme_clients":100/);
    },
  },
];
