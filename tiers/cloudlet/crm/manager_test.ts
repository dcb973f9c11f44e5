import assert from "node:assert/strict";
import { publishObject, retractObject } from "../../../shared/notify/mod.ts";
import { PlatformError } from "../../../shared/platform/mod.ts";
import { until } from "../../../shared/platform/testing/mod.ts";
import { AppKind, ClusterInst, ClusterInstKind, dme, PlatformType, TrackedState } from "../../../shared/schema/mod.ts";
import type { Manager } from "./manager.ts";
import { FakeInfrastructure } from "./testing/fake_platform.ts";
import { testManager } from "./testing/manager.ts";
import { appKey, cloudletKey, clusterKey, keyString, Region } from "./testing/region.ts";

const { HEALTH_CHECK_OK, HEALTH_CHECK_SERVER_FAIL } = dme.HealthCheck;
const { CLOUDLET_STATE_ERRORS, CLOUDLET_STATE_INIT, CLOUDLET_STATE_READY, CLOUDLET_STATE_UPGRADE } = dme.CloudletState;

function manager(region: Region, infrastructure: FakeInfrastructure): Manager {
  return testManager({
    region: "local",
    key: cloudletKey,
    parent: region.address,
    table: { [PlatformType.PLATFORM_TYPE_DOCKER]: () => Promise.resolve(infrastructure.create) },
    directory: (type) => `/nowhere/${type}`,
  });
}

interface World {
  region: Region;
  infrastructure: FakeInfrastructure;
  start(): Manager;
}

function managerTest(name: string, body: (world: World) => Promise<void>): void {
  Deno.test({
    name: `manager: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const region = new Region();
      await region.start();
      const infrastructure = new FakeInfrastructure();
      const started: Manager[] = [];
      try {
        await body({
          region,
          infrastructure,
          start() {
            const one = manager(region, infrastructure);
            one.start();
            started.push(one);
            return one;
          },
        });
      } finally {
        await Promise.all(started.map((one) => one.close(false)));
        await region.close();
      }
    },
  });
}

managerTest(
  "the site waits for its cloudlet, brings its platform up and says what it can give",
  async ({ region, infrastructure, start }) => {
    const one = start();
    region.hub.markReady();
    await until("it says INIT", () => region.cloudlet.at(-1)?.state === CLOUDLET_STATE_INIT);
    assert.equal(one.site.notReady(), "waiting for its cloudlet");
    region.site({ envVar: { COLOUR: "red" }, physicalName: "rack-7" });
    await until("it is ready", () => region.cloudlet.at(-1)?.state === CLOUDLET_STATE_READY);
    const info = region.cloudlet.at(-1)!;
    assert.deepEqual([info.osMaxRam, info.osMaxVcores, info.osMaxVolGb, info.containerVersion], [1024, 4, 10, "test"]);
    assert.equal(info.properties.engine, "fake");
    assert.equal(infrastructure.contexts[0]!.variables.COLOUR, "red");
    assert.equal(infrastructure.contexts[0]!.physicalName, "rack-7");
    assert.equal(one.site.notReady(), undefined);
  },
);

managerTest(
  "a platform type without plugin is an error that names what there is; another type mends it",
  async ({ region, start }) => {
    start();
    region.hub.markReady();
    region.site({ platformType: PlatformType.PLATFORM_TYPE_OPENSTACK });
    await until("it says ERRORS", () => region.cloudlet.at(-1)?.state === CLOUDLET_STATE_ERRORS);
    assert.match(region.cloudlet.at(-1)!.errors.join(), /Openstack has no plugin.*Docker/);
    region.site();
    await until("it is ready", () => region.cloudlet.at(-1)?.state === CLOUDLET_STATE_READY);
  },
);

managerTest("an infrastructure that fails is told and tried again", async ({ region, infrastructure, start }) => {
  infrastructure.failures.set("init", new PlatformError("Transient", "The engine is down"));
  start();
  region.hub.markReady();
  region.site();
  await until("it says ERRORS", () => region.cloudlet.at(-1)?.errors[0] === "The engine is down");
  infrastructure.failures.clear();
  await until("it is ready", () => region.cloudlet.at(-1)?.state === CLOUDLET_STATE_READY);
});

managerTest(
  "changed variables bring the platform up anew, without touching what runs",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    region.instance(1, TrackedState.CREATE_REQUESTED);
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    region.instance(1, TrackedState.READY);
    region.site({ envVar: { COLOUR: "blue" }, state: TrackedState.UPDATE_REQUESTED });
    await until(
      "it came up again",
      () => infrastructure.contexts.length === 2 && region.cloudlet.at(-1)?.state === CLOUDLET_STATE_READY,
    );
    assert.ok(region.cloudlet.some((info) => info.state === CLOUDLET_STATE_UPGRADE));
    assert.equal(infrastructure.contexts[1]!.variables.COLOUR, "blue");
    assert.equal(infrastructure.apps.get(keyString(1))!.runtimeId, "run-1");
    assert.ok(!infrastructure.calls.some((call) => call.startsWith("delete")));
  },
);

managerTest(
  "a creation is answered with progress, then READY with health; a deletion with DELETE_DONE",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    let open!: () => void;
    infrastructure.gate = new Promise((resolve) => open = resolve);
    region.instance(1, TrackedState.CREATE_REQUESTED);
    const creating = await region.tells(1, TrackedState.CREATING);
    await until("progress is told", () => region.told(1)!.status?.msgs.includes("Making it: now") ?? false);
    assert.equal(creating.errors.length, 0);
    open();
    const ready = await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    assert.deepEqual(ready.runtimeInfo?.containerIds, ["run-1"]);
    region.instance(1, TrackedState.READY);
    region.instance(1, TrackedState.DELETE_REQUESTED);
    await region.tells(1, TrackedState.DELETE_DONE);
    assert.equal(infrastructure.apps.size, 0);
    region.forget(1);
    await until("the report is taken back", () => region.retracted.includes(keyString(1)));
    assert.deepEqual(infrastructure.calls.filter((call) => call.startsWith("create app")), ["create app-1"]);
  },
);

managerTest(
  "a failed creation is told with its reason, a failed deletion too, and can be asked for again",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    infrastructure.failures.set("create", new PlatformError("NotFound", "Image image:1 is not in its registry"));
    region.instance(1, TrackedState.CREATE_REQUESTED);
    assert.deepEqual((await region.tells(1, TrackedState.CREATE_ERROR)).errors, [
      "Image image:1 is not in its registry",
    ]);
    infrastructure.failures.set("delete", new PlatformError("Transient", "The engine is down"));
    region.instance(1, TrackedState.DELETE_REQUESTED);
    assert.deepEqual((await region.tells(1, TrackedState.DELETE_ERROR)).errors, ["The engine is down"]);
    infrastructure.failures.clear();
    region.instance(1, TrackedState.DELETE_ERROR);
    region.instance(1, TrackedState.DELETE_REQUESTED);
    await region.tells(1, TrackedState.DELETE_DONE);
  },
);

managerTest("an instance whose app is not known is refused with a reason", async ({ region, start }) => {
  retractObject(region.hub, AppKind, appKey);
  start();
  region.hub.markReady();
  region.site();
  region.instance(1, TrackedState.CREATE_REQUESTED);
  assert.match((await region.tells(1, TrackedState.CREATE_ERROR)).errors.join(), /App dev\/app\/1 is not known/);
});

managerTest("a creation that is deleted meanwhile is given up", async ({ region, infrastructure, start }) => {
  start();
  region.hub.markReady();
  region.site();
  infrastructure.gate = new Promise(() => {});
  region.instance(1, TrackedState.CREATE_REQUESTED);
  await until("it is being made", () => infrastructure.calls.includes("create app-1"));
  region.instance(1, TrackedState.DELETE_REQUESTED);
  await region.tells(1, TrackedState.DELETE_DONE);
  assert.equal(infrastructure.apps.size, 0);
});

managerTest(
  "different instances are made in parallel, one instance never twice at a time",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    for (const number of [2, 3]) {
      const key = { ...clusterKey, organization: `dev${number}` };
      const state = TrackedState.READY;
      publishObject(
        region.hub,
        ClusterInstKind,
        ClusterInst.create({ key, flavor: { name: "small" }, state, deployment: "docker" }),
      );
    }
    let open!: () => void;
    infrastructure.gate = new Promise((resolve) => open = resolve);
    for (const number of [1, 2, 3]) region.instance(number, TrackedState.CREATE_REQUESTED);
    await until("all are being made", () => infrastructure.most.all === 3);
    for (const number of [1, 2, 3]) region.instance(number, TrackedState.CREATING);
    open();
    for (const number of [1, 2, 3]) await region.tells(number, TrackedState.READY);
    assert.equal(infrastructure.most.key, 1);
  },
);

managerTest("what dies is told at once, and again when it is back", async ({ region, infrastructure, start }) => {
  start();
  region.hub.markReady();
  region.site();
  region.instance(1, TrackedState.CREATE_REQUESTED);
  await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
  infrastructure.fault(keyString(1), "restarting");
  await region.tells(1, TrackedState.READY, HEALTH_CHECK_SERVER_FAIL);
  infrastructure.fault(keyString(1), "running");
  await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
});

managerTest("what somebody removed behind its back is made again", async ({ region, infrastructure, start }) => {
  start();
  region.hub.markReady();
  region.site();
  region.instance(1, TrackedState.CREATE_REQUESTED);
  await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
  region.instance(1, TrackedState.READY);
  infrastructure.fault(keyString(1), undefined);
  await until("it runs again", () => infrastructure.apps.get(keyString(1))?.runtimeId === "run-2");
  await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
});

managerTest(
  "a new process adopts what runs, makes again what is missing, carries on what was asked for",
  async ({ region, infrastructure, start }) => {
    const before = start();
    region.hub.markReady();
    region.site();
    for (const number of [2, 3, 4]) {
      const key = { ...clusterKey, organization: `dev${number}` };
      publishObject(
        region.hub,
        ClusterInstKind,
        ClusterInst.create({ key, flavor: { name: "small" }, state: TrackedState.READY, deployment: "docker" }),
      );
    }
    for (const number of [1, 2]) {
      region.instance(number, TrackedState.CREATE_REQUESTED);
      await region.tells(number, TrackedState.READY);
      region.instance(number, TrackedState.READY);
    }
    await before.close(false);
    infrastructure.apps.delete(keyString(2));
    const calls = infrastructure.calls.length;
    region.instance(3, TrackedState.CREATING);
    region.instance(4, TrackedState.DELETING);
    region.instances.length = 0;
    infrastructure.failures.set("create", new PlatformError("Transient", "not yet"));
    const again = start();
    await region.tells(2, TrackedState.READY, HEALTH_CHECK_SERVER_FAIL);
    infrastructure.failures.clear();
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    await region.tells(2, TrackedState.READY, HEALTH_CHECK_OK);
    await region.tells(4, TrackedState.DELETE_DONE);
    await until(
      "what was being made is answered",
      () => region.told(3)?.state === TrackedState.READY || region.told(3)?.state === TrackedState.CREATE_ERROR,
    );
    assert.equal(infrastructure.apps.get(keyString(1))!.runtimeId, "run-1");
    assert.ok(!infrastructure.calls.slice(calls).includes("delete app-1"));
    await again.close(true);
    assert.equal(infrastructure.calls.at(-1), "close and stop");
  },
);

managerTest(
  "strangers go only when the region is completely known; what it knows stays",
  async ({ region, infrastructure, start }) => {
    const first = start();
    region.hub.markReady();
    region.site();
    region.instance(1, TrackedState.CREATE_REQUESTED);
    await region.tells(1, TrackedState.READY);
    region.instance(1, TrackedState.READY);
    await first.close(false);
    const spec = infrastructure.apps.get(keyString(1))!.spec;
    infrastructure.apps.set("stranger", {
      spec: { ...spec, key: "stranger", id: "stranger" },
      state: "running",
      runtimeId: "s",
    });
    infrastructure.clusters.set("stranger", { ...spec.cluster!, key: "stranger" });
    infrastructure.failures.set("list", new PlatformError("Transient", "not yet"));
    start();
    await until("it is up", () => infrastructure.contexts.length === 2);
    assert.ok(infrastructure.apps.has("stranger"));
    infrastructure.failures.clear();
    await until(
      "the stranger is gone",
      () => !infrastructure.apps.has("stranger") && !infrastructure.clusters.has("stranger"),
    );
    assert.equal(infrastructure.apps.get(keyString(1))!.runtimeId, "run-1");
    assert.equal(infrastructure.clusters.size, 1);
  },
);

managerTest(
  "an instance that is deleted and made again under the same key is another one",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    region.instance(1, TrackedState.CREATE_REQUESTED, 1);
    await region.tells(1, TrackedState.READY);
    region.instance(1, TrackedState.CREATE_REQUESTED, 2);
    await until("it was made anew", () => infrastructure.apps.get(keyString(1))?.runtimeId === "run-2");
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    assert.deepEqual(infrastructure.calls.filter((call) => call.includes("app-1")), [
      "create app-1",
      "delete app-1",
      "create app-1",
    ]);
  },
);

managerTest("cluster instances come and go", async ({ region, infrastructure, start }) => {
  region.cluster(TrackedState.CREATE_REQUESTED);
  start();
  region.hub.markReady();
  region.site();
  await until("it is told", () => region.clusters.at(-1)?.state === TrackedState.READY);
  assert.equal(infrastructure.clusters.size, 1);
  region.cluster(TrackedState.DELETE_REQUESTED);
  await until("its end is told", () => region.clusters.at(-1)?.state === TrackedState.DELETE_DONE);
  assert.equal(infrastructure.clusters.size, 0);
});

managerTest(
  "an instance that could not be deleted and is READY again is looked after as before",
  async ({ region, infrastructure, start }) => {
    start();
    region.hub.markReady();
    region.site();
    region.instance(1, TrackedState.CREATE_REQUESTED);
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    region.instance(1, TrackedState.READY);
    infrastructure.failures.set("delete", new PlatformError("Transient", "The engine is down"));
    region.instance(1, TrackedState.DELETE_REQUESTED);
    await region.tells(1, TrackedState.DELETE_ERROR);
    region.instance(1, TrackedState.READY);
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
    infrastructure.fault(keyString(1), "restarting");
    await region.tells(1, TrackedState.READY, HEALTH_CHECK_SERVER_FAIL);
    assert.equal(infrastructure.apps.get(keyString(1))!.runtimeId, "run-1");
  },
);
