import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { App, AppKind, Cloudlet, RequestOption, type Result } from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, cloudlet, flavor, furnish, instance, lines, World } from "./world.ts";

const DRY = { metadata: { [RequestOption.dryRun]: "true" } };

async function unchanged<T>(store: Store, call: () => Promise<T>): Promise<T> {
  const before = await store.scan("/v1/");
  const result = await call();
  const after = await store.scan("/v1/");
  const rows = (entries: typeof after.entries) => entries.map(({ key, modRevision }) => `${key} ${modRevision}`);
  assert.deepEqual(rows(after.entries), rows(before.entries));
  return result;
}

/** Rules about dry runs. */
export const dryRunCases: ApiCase[] = [
  {
    name: "a dry run checks and tells everything that the call would, and changes nothing",
    async run(store) {
      await using world = await World.start({ store });
      const { flavors, apps, cloudlets, instances } = world.api;
      const site = await furnish(world);
      const said = async (results: Promise<Result>) => (await results).message;

      await unchanged(store, async () => {
        const created = await said(flavors.createFlavor(flavor("new"), DRY));
        assert.match(created, /^Dry run: .*would create Flavor {"name":"new"}; nothing was changed$/);
        await refused(flavors.createFlavor(flavor(), DRY), Status.ALREADY_EXISTS, /Flavor key .* already exists/);
        await refused(flavors.createFlavor(flavor("bad name?"), DRY), Status.INVALID_ARGUMENT, /key\.name/);
        await refused(flavors.deleteFlavor(flavor(), DRY), Status.FAILED_PRECONDITION, /Flavor in use by App/);
        assert.match(await said(apps.deleteApp(app(), DRY)), /would delete App {"organization":"AtlasWorks"/);
        const update = App.create({ key: app().key, accessPorts: "tcp:9090", fields: ["7"] });
        assert.match(await said(apps.updateApp(update, DRY)), /would change App/);
        const same = App.create({ key: app().key, accessPorts: "tcp:8080", fields: ["7"] });
        assert.match(await said(apps.updateApp(same, DRY)), /nothing to change/);

        const created2 = await lines(instances.createAppInst(instance(), DRY));
        assert.match(created2.at(-1)!, /^Dry run: would create AppInst .*; nothing was changed$/);
        await refused(
          all(
            instances.createAppInst(
              instance({ appKey: { organization: "AtlasWorks", name: "Nil", version: "1" } }),
              DRY,
            ),
          ),
          Status.NOT_FOUND,
          /App key .* not found/,
        );
        const more = cloudlet({ key: { organization: "Bayline Inc.", name: "Other" } });
        assert.match((await lines(cloudlets.createCloudlet(more, DRY))).at(-1)!, /would create Cloudlet/);
      });
      assert.equal((await all(cloudlets.showCloudlet(Cloudlet.create()))).length, 1);

      // What a dry run had looked at can be done in earnest at once.
      await lines(instances.createAppInst(instance()));
      await unchanged(store, async () => {
        const deleted = await lines(instances.deleteAppInst(instance(), DRY));
        assert.match(deleted.at(-1)!, /would change AppInst/);
        await refused(apps.deleteApp(app(), DRY), Status.FAILED_PRECONDITION, /App in use by AppInst/);
      });
      await lines(instances.deleteAppInst(instance()));
      await apps.deleteApp(app());
      assert.equal(world.controller.cache.get(AppKind, AppKind.keyString(app().key)), undefined);
      await site.stop();
    },
  },
];
