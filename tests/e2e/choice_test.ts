// A cloudlet chosen by the region, a refresh by the real resource manager, and what only administrators may do.
import assert from "node:assert/strict";
import { freePortBase, startPlatform } from "./support/platform.ts";
import { appKey, deploy, instanceKey, instances, makeWorld } from "./support/world.ts";

const ANYWHERE = { appinst: { key: { app_key: appKey } } };

Deno.test("an app finds its cloudlets, is refreshed there, and goes by force where its site does not help", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  const { developer, admin } = world;
  const create = async () => (await developer.ctrl("CreateAppInst", ANYWHERE)).map(({ message }) => String(message));
  try {
    await t.step(
      "without a cloudlet each instance goes where there is none yet, and the caller is told why",
      async () => {
        const first = await create();
        assert.match(first[0]!, /^Cloudlet .* chosen of 2: it /);
        assert.equal(first.at(-1), "Created app instance");
        const second = await create();
        assert.match(second[0]!, /passed over: it has this instance already$/);
        assert.match(second[1]!, /chosen of 1: it is the only one that can take the instance$/);
        const names = (await instances(world)).map(({ key }) =>
          /"cloudlet_key":\{[^}]*"name":"(\w+)"/.exec(JSON.stringify(key))![1]
        );
        assert.deepEqual(names.sort(), ["hamburg", "munich"]);
      },
    );
    await t.step("when no cloudlet can take it, the call says so for each", async () => {
      const refused = await developer.call("auth/ctrl/CreateAppInst", { region: "local", ...ANYWHERE });
      assert.match(refused.text, /None of the 2 cloudlets that the organization may use can take the instance/);
    });
    await t.step("all instances are deployed anew in one call", async () => {
      const request = { appinst: { key: { app_key: appKey }, update_multiple: true, force_update: true } };
      const told = (await developer.ctrl("RefreshAppInst", request)).map(({ message }) => message);
      assert.equal(told.at(-1), "2 in all: 2 updated, 0 skipped, 0 failed");
    });
    await t.step("only administrators go without the site", async () => {
      const forced = { appinst: { key: instanceKey("munich"), crm_override: "IgnoreCrm" } };
      const denied = await developer.call("auth/ctrl/DeleteAppInst", { region: "local", ...forced });
      assert.equal(denied.status, 403);
      const told = (await admin.ctrl("DeleteAppInst", forced)).map(({ message }) => message);
      assert.deepEqual(told, ["Deleted app instance, without its site"]);
      // What the site still runs of it goes when it sees that the instance is gone, so the way is free again.
      await deploy(world, "munich");
    });
  } finally {
    world.close();
    await platform.stop();
  }
});
