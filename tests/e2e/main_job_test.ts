// The main job through real processes and public interfaces only: three tiers running, an app deployed, a device matched.
import assert from "node:assert/strict";
import { answeredBy, device, deviceReaches } from "./support/device.ts";
import type { RestUser } from "./support/rest.ts";
import { freePortBase, startPlatform } from "./support/platform.ts";
import { isRunning, killOutright } from "./support/processes.ts";
import { eventually } from "./support/wait.ts";
import { deploy, instancePid, instances, makeWorld, runningInstances, undeploy } from "./support/world.ts";

/** Augsburg: near the site in Munich, far from the one in Hamburg. */
const NEAR_MUNICH = "48.37,10.90";
/** Bremen: the other way round. */
const NEAR_HAMBURG = "53.08,8.80";

/** What an administrator's call of the region gives, as far as it matters here. */
interface Row {
  readonly key: { readonly name: string; readonly type: string };
  readonly [field: string]: unknown;
  readonly properties?: Record<string, string>;
}

async function rows(admin: RestUser, rpc: string, body: Record<string, unknown> = {}): Promise<Row[]> {
  return await admin.ctrl(rpc, body) as unknown as Row[];
}

Deno.test("main job: deploy, find the nearest back-end, lose it, find the next, get it back, delete", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  try {
    await t.step("each service is a process of its own under its own permission set", () => {
      const services = platform.info().services;
      for (const type of ["master-controller", "controller", "dme", "crm"]) {
        assert.ok(services.some((service) => service.type === type), `${type} is listed`);
      }
      for (const service of services.filter((service) => service.type !== "postgres")) {
        const command = Deno.readTextFileSync(`/proc/${service.pid}/cmdline`).split("\0");
        assert.ok(service.permissionSet !== "", `${service.name} names its permission set`);
        assert.ok(command.includes(`-P=${service.permissionSet}`), `${service.name}: ${command.join(" ")}`);
        assert.ok(!command.includes("-A") && !command.includes("--allow-all"), service.name);
      }
    });

    await t.step("up.json has the form that scripts depend on", () => {
      const { version, ca, admin, masterController, regions, services } = platform.info();
      assert.deepEqual(Object.keys(platform.info()), [
        ...["version", "ca", "admin", "masterController", "regions", "services"],
      ]);
      assert.equal(version, 1);
      for (const path of [ca, admin.passwordFile]) assert.ok(Deno.statSync(path).isFile, path);
      assert.equal(Deno.statSync(admin.passwordFile).mode! & 0o777, 0o600);
      assert.deepEqual(Object.keys(admin), ["name", "passwordFile"]);
      assert.match(masterController.rest, /^https:\/\/localhost:\d+$/);
      const { controller, dme } = regions["local"]!;
      assert.match(controller.grpc, /^[^:/]+:\d+$/);
      assert.match(dme.rest, /^https:\/\/localhost:\d+$/);
      assert.match(dme.grpc, /^[^:/]+:\d+$/);
      for (const service of services) {
        assert.deepEqual(Object.keys(service), [
          ...["name", "type", "region", "cloudlet", "pid", "log", "permissionSet", "urls"],
        ]);
        assert.ok(Deno.statSync(service.log).isFile, service.log);
      }
    });

    await t.step("an app without instances is not found", async () => {
      assert.equal((await device(platform, NEAR_MUNICH)).status, "not found");
    });

    await t.step("deployment shows progress and ends ready", async () => {
      const lines = await Promise.all([deploy(world, "munich"), deploy(world, "hamburg")]);
      for (const progress of lines) assert.ok(progress.length >= 2, JSON.stringify(progress));
      const shown = await instances(world);
      assert.equal(shown.length, 2);
      for (const instance of shown) {
        assert.equal(instance.state, "Ready");
        assert.match(String(instance.uri), /\.localhost$/);
      }
    });

    await t.step("one trace id leads from the public API through the region to the site", () => {
      const logs = new Map(
        platform.info().services.map(({ name, log }) => [name, Deno.readTextFileSync(log).split("\n")]),
      );
      const call = logs.get("master-controller")!.find((line) => line.includes("CreateAppInst"));
      const { trace_id } = JSON.parse(call!) as { trace_id: string };
      assert.match(trace_id, /^[0-9a-f]{32}$/);
      const seen = [...logs].filter(([, lines]) => lines.some((line) => line.includes(trace_id))).map(([name]) => name);
      assert.ok(seen.includes("controller-local"), seen.join());
      assert.equal(seen.filter((name) => name.startsWith("crm-local-")).length, 1, seen.join());
    });

    await t.step("devices reach the nearest back-end, by REST and by gRPC", async () => {
      const south = await deviceReaches(platform, NEAR_MUNICH, "munich");
      assert.ok(south.distanceKm! > 40 && south.distanceKm! < 70, `${south.distanceKm} km from Augsburg to Munich`);
      await deviceReaches(platform, NEAR_HAMBURG, "hamburg");
      const byGrpc = await device(platform, NEAR_MUNICH, { grpc: true });
      assert.equal(answeredBy(byGrpc), "munich");
    });

    await t.step("calls of devices become metrics that the developer can read", async () => {
      await rows(world.admin, "UpdateSettings", { settings: { dme_api_metrics_collection_interval: "1s" } });
      const ask = async () => {
        const body = {
          region: "local",
          appinst: { app_key: { organization: "acme" } },
          selector: "api",
          method: "FindCloudlet",
        };
        const { status, text } = await world.developer.call("auth/metrics/clientapiusage", body);
        assert.equal(status, 200, text);
        return (JSON.parse(text).data[0].Series as {
          columns: string[];
          values: unknown[][];
          tags: Record<string, string>;
        }[])[0];
      };
      // Calls of one device after the other may be told in one report or in several.
      const series = await eventually("calls that led to both sites to be counted", async () => {
        const told = await ask();
        const found = new Set(told?.values.map((row) => row[told.columns.indexOf("foundCloudlet")]));
        if (!found.has("munich") || !found.has("hamburg")) throw new Error(`So far: ${[...found].join()}`);
        return told;
      });
      assert.deepEqual([series.tags["app"], series.tags["method"]], ["echo", "FindCloudlet"]);
      assert.ok(series.values.every((row) => Number(row[1]) >= 1));
      const events = await world.developer.call("auth/events/app", {
        region: "local",
        appinst: { app_key: { organization: "acme" } },
      });
      assert.match(events.text, /"UP","CREATED"/);
    });

    await t.step("a dead instance is passed over, and chosen again when it is back", async () => {
      const before = await instancePid(world, platform, "munich");
      // it is restarted within seconds, later each time it dies: killed until a device noticed
      await eventually("a device to be sent to the next nearest", async () => {
        for (const pid of await runningInstances(world, platform, "munich")) await killOutright(pid);
        return answeredBy(await device(platform, NEAR_MUNICH)) === "hamburg" || undefined;
      });
      await deviceReaches(platform, NEAR_MUNICH, "munich");
      const after = await instancePid(world, platform, "munich");
      assert.notEqual(after, before);
      assert.ok(isRunning(after));
    });

    await t.step("an administrator sees every process and the live tree, and has them log more", async () => {
      const { admin } = world;
      const listed = await rows(admin, "ShowNode");
      assert.deepEqual(listed.map(({ key }) => key.type).sort(), ["controller", "crm", "crm", "dme", "up"]);
      for (const { key, hostname, properties, error } of listed) {
        assert.ok(!error && hostname !== "" && Number(properties?.pid) > 0, `${key.name}: ${error}`);
      }
      const [root, ...below] = await rows(admin, "ShowNotifyTree");
      assert.equal(root!.key.type, "controller");
      assert.deepEqual(below.map(({ key, parent }) => [key.type, parent]).sort(), [
        ...["crm", "crm", "dme", "up"].map((type) => [type, root!.key.name]),
      ]);
      assert.ok(below.every(({ in_step, sent_bytes }) => in_step && Number(sent_bytes) > 0), JSON.stringify(below));
      const debugrequest = { node: { type: "dme" }, levels: "notify" };
      const [enabled, ...others] = await rows(admin, "EnableDebugLevels", { debugrequest });
      assert.match(String(enabled!.output), /^on: notify;/);
      assert.equal(others.length, 0);
      const levels = await rows(admin, "ShowDebugLevels");
      assert.equal(levels.filter(({ output }) => /^on: notify;/.test(String(output))).length, 1);
      const caches = await rows(admin, "RunDebug", {
        debugrequest: { cmd: "dump-caches", node: { type: "controller" } },
      });
      assert.equal(JSON.parse(String(caches[0]!.output)).Cloudlet, 2);
      const refused = await world.developer.call("auth/ctrl/ShowNode", { region: "local" });
      assert.equal(refused.status, 403);
    });

    await t.step("a deleted instance is gone, with its process", async () => {
      const pid = await instancePid(world, platform, "munich");
      await undeploy(world, "munich");
      assert.equal(isRunning(pid), false);
      assert.equal((await instances(world)).length, 1);
      await deviceReaches(platform, NEAR_MUNICH, "hamburg");
    });
  } finally {
    world.close();
    assert.equal((await platform.stop()).code, 0);
  }
});
