// Bad input meets one clear error where the user sees it, and changes nothing.
import assert from "node:assert/strict";
import { freePortBase, type Platform, startPlatform } from "./support/platform.ts";
import { processesWith, task } from "./support/processes.ts";
import { appKey, cloudletKey, instanceKey, makeWorld, type World } from "./support/world.ts";

/** Expects the call to be refused with a reason, and the region to look as before. */
async function refused(world: World, rpc: string, body: Record<string, unknown>, reason: RegExp): Promise<void> {
  const before = await look(world);
  await assert.rejects(
    () => world.developer.ctrl(rpc, body),
    (error: Error) => {
      assert.match(error.message, reason);
      return true;
    },
  );
  assert.deepEqual(await look(world), before);
}

async function look(world: World): Promise<unknown> {
  return [
    await world.developer.ctrl("ShowApp", { app: {} }),
    await world.developer.ctrl("ShowAppInst", { appinst: {} }),
    await world.admin.ctrl("ShowCloudlet", { cloudlet: {} }),
  ];
}

async function badApps(world: World, t: Deno.TestContext): Promise<void> {
  const app = (fields: Record<string, unknown>) => ({
    app: {
      key: { ...appKey, version: "2.0" },
      deployment: "process",
      image_path: "/nowhere/app.ts",
      access_ports: "tcp:8080",
      default_flavor: { name: "small" },
      ...fields,
    },
  });
  await t.step(
    "a port list that does not parse",
    () => refused(world, "CreateApp", app({ access_ports: "tcp:8080,quic:1" }), /access_ports.*quic/is),
  );
  await t.step(
    "a manifest that asks for permissions it may not have",
    () => refused(world, "CreateApp", app({ deployment_manifest: "permissions:\n  run: [bash]\n" }), /manifest.*run/is),
  );
  await t.step(
    "a flavor that does not exist",
    () => refused(world, "CreateApp", app({ default_flavor: { name: "huge" } }), /flavor.*huge.*not found/is),
  );
  await t.step("a field that does not exist", () => refused(world, "CreateApp", app({ colour: "red" }), /colour/i));
  await t.step(
    "several faults are told together",
    () =>
      refused(
        world,
        "CreateApp",
        app({ access_ports: "tcp:0", default_flavor: { name: "" } }),
        /access_ports[^]*flavor|flavor[^]*access_ports/i,
      ),
  );
}

async function badInstances(world: World, t: Deno.TestContext): Promise<void> {
  const missing = { ...appKey, name: "absent" };
  await world.developer.ctrl("CreateApp", {
    app: {
      key: missing,
      deployment: "process",
      image_path: "/nowhere/app.ts",
      access_ports: "tcp:8080",
      default_flavor: { name: "small" },
    },
  });
  await t.step("an image that does not exist", () =>
    refused(
      world,
      "CreateAppInst",
      { appinst: { key: { app_key: missing, cluster_inst_key: { cloudlet_key: cloudletKey("munich") } } } },
      /\/nowhere\/app\.ts/,
    ));
  await t.step("an app that does not exist", () =>
    refused(
      world,
      "CreateAppInst",
      {
        appinst: {
          key: { app_key: { ...appKey, name: "nobody" }, cluster_inst_key: { cloudlet_key: cloudletKey("munich") } },
        },
      },
      /nobody.*not found/is,
    ));
  await t.step("another operator's site may not be changed", async () => {
    const answer = await world.developer.call("auth/ctrl/DeleteCloudlet", {
      region: "local",
      cloudlet: { key: cloudletKey("munich") },
    });
    assert.equal(answer.status, 403);
  });
  await t.step("a cloudlet cannot go while an instance is there", async () => {
    await world.developer.ctrl("CreateAppInst", { appinst: { key: instanceKey("munich") } });
    await assert.rejects(
      () => world.operator.ctrl("DeleteCloudlet", { cloudlet: { key: cloudletKey("munich") } }),
      /in use by/i,
    );
  });
}

async function badCommands(platform: Platform, t: Deno.TestContext): Promise<void> {
  await t.step("an unknown flag names the nearest known one", async () => {
    const finished = await task("up", ["--dmeo"]);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, /--dmeo.*--demo/s);
    assert.ok(finished.stderr.trim().split("\n").length <= 3, finished.stderr);
  });
  await t.step("a second `up` on the same data says so", async () => {
    const finished = await task("up", ["--data", platform.data]);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, /already running/i);
    assert.ok(Deno.statSync(`${platform.data}/up.json`).isFile);
  });
  await t.step("a port in use is named, with who has it", async () => {
    const data = await Deno.makeTempDir();
    const port = Number(new URL(platform.info().masterController.rest).port);
    const finished = await task("up", ["--data", `${data}/x`, "--port-base", String(port)]);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, new RegExp(`${port}[^]*deno`));
    assert.equal(processesWith(data).size, 0);
  });
  await t.step("a data folder of a newer version is left alone", async () => {
    const data = `${await Deno.makeTempDir()}/data`;
    await Deno.mkdir(data);
    await Deno.writeTextFile(`${data}/version.json`, JSON.stringify({ version: 999, uid: Deno.uid() }));
    const finished = await task("up", ["--data", data]);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, /version/i);
    assert.deepEqual([...Deno.readDirSync(data)].map((entry) => entry.name), ["version.json"]);
  });
  await t.step("a data folder of another owner is left alone", async () => {
    const data = `${await Deno.makeTempDir()}/data`;
    await Deno.mkdir(data);
    await Deno.writeTextFile(`${data}/version.json`, JSON.stringify({ version: 1, uid: Deno.uid()! + 1 }));
    const finished = await task("up", ["--data", data]);
    assert.notEqual(finished.code, 0);
    assert.match(finished.stderr, new RegExp(`belongs to user ${Deno.uid()! + 1}`));
    assert.deepEqual([...Deno.readDirSync(data)].map((entry) => entry.name), ["version.json"]);
  });
  await t.step("a folder that is not ours is left alone", async () => {
    const data = await Deno.makeTempDir();
    await Deno.writeTextFile(`${data}/letter.txt`, "dear diary");
    const finished = await task("up", ["--data", data]);
    assert.notEqual(finished.code, 0);
    assert.deepEqual([...Deno.readDirSync(data)].map((entry) => entry.name), ["letter.txt"]);
  });
}

Deno.test("bad input: one clear error, state unchanged, nothing left running", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  try {
    await badApps(world, t);
    await badInstances(world, t);
    await badCommands(platform, t);
  } finally {
    world.close();
    assert.equal((await platform.stop()).code, 0);
  }
});
