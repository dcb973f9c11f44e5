// The main job on real systems: region objects in etcd, accounts in PostgreSQL, a site on a Docker Engine.
import assert from "node:assert/strict";
import { device } from "../e2e/support/device.ts";
import { freePortBase, type Platform, startPlatform } from "../e2e/support/platform.ts";
import { killOutright } from "../e2e/support/processes.ts";
import { eventually } from "../e2e/support/wait.ts";
import { appKey, deploy, instances, makeWorld, undeploy, type World } from "../e2e/support/world.ts";
import { type Peers, startPeers } from "./docker.ts";
import { startEtcd } from "./etcd.ts";
import { DebianCluster } from "./postgres.ts";

const DOCKER_SITE = { organization: "northwind", name: "docks" };
const CLUSTER = { cluster_key: { name: "berth" }, cloudlet_key: DOCKER_SITE, organization: appKey.organization };
const DOCKER_APP = { organization: appKey.organization, name: "hello", version: "1.0" };
const NEAR_MUNICH = "48.37,10.90";

async function makeDockerSite(world: World, peers: Peers): Promise<void> {
  const first = freePortBase();
  await world.operator.ctrl("CreateCloudlet", {
    cloudlet: {
      key: DOCKER_SITE,
      location: { latitude: 47.8, longitude: 13.04 },
      num_dynamic_ips: 10,
      platform_type: "Docker",
      deployment_local: true,
      env_var: { DOCKER_HOST: peers.address, PUBLIC_PORT_RANGE: `${first}-${first + 9}` },
    },
  });
  await world.developer.ctrl("CreateClusterInst", {
    clusterinst: { key: CLUSTER, deployment: "docker", flavor: { name: "small" } },
  });
}

async function makeDockerApp(world: World, peers: Peers): Promise<void> {
  await world.developer.ctrl("CreateApp", {
    app: {
      key: DOCKER_APP,
      deployment: "docker",
      image_path: `${peers.registry}/dev/hello:1`,
      access_ports: "tcp:8080",
      default_flavor: { name: "small" },
    },
  });
}

function dockerInstance(): Record<string, unknown> {
  return { appinst: { key: { app_key: DOCKER_APP, cluster_inst_key: CLUSTER } } };
}

async function containers(peers: Peers): Promise<string[]> {
  const list = await peers.engine.call({ path: "/containers/json" }) as { Id: string }[];
  return list.map((container) => container.Id);
}

/** Waits until the site's new resource manager is ready; devices reach its instances before that, deployments do not. */
async function siteIsReady(platform: Platform, world: World): Promise<void> {
  await eventually("the resource manager to be ready", async () => {
    const manager = platform.info().services.find((service) => service.pid === platform.pid("crm", "docks"));
    const response = await fetch(`${manager!.urls.admin}/readyz`);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return true;
  });
  await eventually("the region to know", async () => {
    const [info] = await world.operator.ctrl("ShowCloudletInfo", { cloudletinfo: { key: DOCKER_SITE } });
    if (info?.state !== "Ready") throw new Error(JSON.stringify(info));
    return true;
  });
}

async function dockerJob(t: Deno.TestContext, platform: Platform, world: World, peers: Peers): Promise<void> {
  await t.step("a container is deployed from a registry and answers", async () => {
    await makeDockerSite(world, peers);
    await makeDockerApp(world, peers);
    const lines = await world.developer.ctrl("CreateAppInst", dockerInstance());
    assert.ok(lines.length >= 2, JSON.stringify(lines));
    const step = await eventually("a device to reach the container", async () => {
      const found = await device(platform, "47.8,13.0", { app: DOCKER_APP });
      return found.answer ? found : undefined;
    });
    assert.equal(step.answer!.text.trim(), "hello");
    assert.equal((await containers(peers)).length, 1);
  });
  await t.step(
    "a restarted resource manager adopts the container and removes one that should not be there",
    async () => {
      const [before] = await containers(peers);
      const labels = (await peers.engine.call({ path: `/containers/${before}/json` }) as {
        Config: { Labels: Record<string, string>; Image: string };
      }).Config;
      const pid = platform.pid("crm", "docks");
      await killOutright(pid);
      await eventually("another resource manager", () => platform.pid("crm", "docks") !== pid || undefined);
      await siteIsReady(platform, world);
      assert.equal((await device(platform, "47.8,13.0", { app: DOCKER_APP })).status, "found");
      assert.deepEqual(await containers(peers), [before]);
      assert.ok(
        Object.keys(labels.Labels).some((label) => label.includes("archipelago")),
        JSON.stringify(labels.Labels),
      );
    },
  );
  await t.step("an image that does not exist is said to the caller, and leaves nothing behind", async () => {
    const key = { ...DOCKER_APP, name: "missing" };
    await world.developer.ctrl("CreateApp", {
      app: {
        key,
        deployment: "docker",
        image_path: `${peers.registry}/dev/missing:1`,
        access_ports: "tcp:8080",
        default_flavor: { name: "small" },
      },
    });
    await assert.rejects(
      () => world.developer.ctrl("CreateAppInst", { appinst: { key: { app_key: key, cluster_inst_key: CLUSTER } } }),
      /missing/,
    );
    assert.ok(!(await instances(world)).some((instance) => JSON.stringify(instance.key).includes("missing")));
    assert.equal((await containers(peers)).length, 1);
  });
  await t.step("a deleted instance takes its container along", async () => {
    await world.developer.ctrl("DeleteAppInst", dockerInstance());
    assert.deepEqual(await containers(peers), []);
  });
  await t.step(
    "an app of several services is deployed from its compose file and reached by the site's name",
    async () => {
      const key = { ...DOCKER_APP, name: "pair" };
      const create = (web: string) =>
        world.developer.ctrl("CreateApp", {
          app: {
            key,
            deployment: "docker",
            access_ports: "tcp:80",
            default_flavor: { name: "small" },
            deployment_manifest: `
services:
  web: { image: "${peers.registry}/dev/hello:1", command: "relay store 8080", ports: ["80:8080"]${web} }
  store: { image: "${peers.registry}/dev/hello:1", command: "count /data/n", volumes: ["data:/data"] }
volumes: { data: {} }
`,
          },
        });
      await assert.rejects(() => create(", privileged: true"), /services\.web\.privileged.*no privileges/);
      await create("");
      const about = { appinst: { key: { app_key: key, cluster_inst_key: CLUSTER } } };
      await world.developer.ctrl("CreateAppInst", about);
      assert.equal((await containers(peers)).length, 2);
      const step = await eventually("a device to reach the service", async () => {
        const found = await device(platform, "47.8,13.0", { app: key });
        return found.answer ? found : undefined;
      });
      assert.equal(step.answer!.text.trim(), "1");
      const [info] = await world.operator.ctrl("ShowCloudletInfo", { cloudletinfo: { key: DOCKER_SITE } });
      assert.match(JSON.stringify(info), /"public_address":"127\.0\.0\.1"/);
      await world.developer.ctrl("DeleteAppInst", about);
      assert.deepEqual(await containers(peers), []);
    },
  );
}

Deno.test("main job on etcd, PostgreSQL and Docker", {
  ignore: Deno.env.get("ARCHIPELAGO_REAL") !== "1",
}, async (t) => {
  const [etcd, postgres, peers] = await Promise.all([startEtcd(), DebianCluster.create(), startPeers()]);
  try {
    const platform = await startPlatform([
      `--store=etcd:${etcd.url}`,
      `--database=${postgres.url}`,
      `--docker-socket=${peers.folder}/docker.sock`,
    ]);
    const world = await makeWorld(platform, freePortBase());
    try {
      await t.step("a sandboxed app is deployed, found and deleted", async () => {
        await deploy(world, "munich");
        await eventually("a device to reach it", async () => (await device(platform, NEAR_MUNICH)).answer);
        await undeploy(world, "munich");
        assert.equal((await device(platform, NEAR_MUNICH)).status, "not found");
      });
      await dockerJob(t, platform, world, peers);
      await t.step("a killed controller is started again and knows everything", async () => {
        const pid = platform.pid("controller");
        await killOutright(pid);
        await eventually("the region to answer again", async () => {
          const cloudlets = await world.operator.ctrl("ShowCloudlet", { cloudlet: {} });
          return cloudlets.length === 3 ? true : undefined;
        });
        assert.notEqual(platform.pid("controller"), pid);
      });
    } finally {
      world.close();
      assert.equal((await platform.stop()).code, 0);
    }
  } finally {
    await Promise.all([etcd.dispose(), postgres.remove(), peers.stop()]);
  }
});
