import assert from "node:assert/strict";
import type { CloudletPlatform, ClusterSpec } from "../mod.ts";
import type { ConformanceCase, PlatformUnderTest } from "./conformance.ts";
import { operation } from "./helpers.ts";

async function withCluster(
  test: PlatformUnderTest,
  body: (platform: CloudletPlatform, spec: ClusterSpec) => Promise<void>,
): Promise<void> {
  if (!test.cluster) return;
  const platform = await test.open();
  const spec = { ...test.cluster, nodes: { count: 1, size: "" } };
  try {
    await platform.clusters!.create(spec, operation());
    await body(platform, spec);
  } finally {
    for (const found of await platform.apps.list(operation())) await platform.apps.delete(found, operation());
    for (const found of await platform.clusters!.list(operation())) await platform.clusters!.delete(found, operation());
    await platform.close();
  }
}

/** Rules of platforms that have clusters. */
export const clusterCases: readonly ConformanceCase[] = [
  {
    name: "addresses of clusters' own are different ones, stay, and go with their clusters; others have none",
    run: (test) =>
      withCluster(test, async (platform, spec) => {
        if (!platform.clusters!.address) return;
        assert.equal(await platform.clusters!.address(spec), undefined);
        const own = [1, 2].map((n) => ({
          ...spec,
          key: `${spec.key}-${n}`,
          id: `${spec.id}-${n}`,
          dedicatedAddress: true,
        }));
        for (const each of own) await platform.clusters!.create(each, operation());
        const addresses = async (of: CloudletPlatform) =>
          await Promise.all(own.map((each) => of.clusters!.address!(each)));
        const given = await addresses(platform);
        assert.equal(new Set(given).size, 2);
        assert.ok(given.every((address) => address), String(given));
        for (const each of own) await platform.clusters!.create(each, operation());
        const restarted = await test.open();
        assert.deepEqual(await addresses(restarted), given);
        await restarted.clusters!.delete(own[0]!, operation());
        assert.deepEqual(await addresses(restarted), [undefined, given[1]]);
        await restarted.close();
      }),
  },
  {
    name: "a cluster is there once, after a restart too, and goes without a trace; its deletion can be repeated",
    run: (test) =>
      withCluster(test, async (platform, spec) => {
        const keys = async (of: CloudletPlatform) => (await of.clusters!.list(operation())).map(({ key }) => key);
        await platform.clusters!.create(spec, operation());
        assert.deepEqual(await keys(platform), [spec.key]);
        const restarted = await test.open();
        assert.deepEqual(await keys(restarted), [spec.key]);
        await restarted.clusters!.delete(spec, operation());
        await restarted.clusters!.delete(spec, operation());
        assert.deepEqual(await keys(restarted), []);
        await restarted.close();
      }),
  },
  {
    name: "a cluster grows and shrinks by nodes, and what runs in it runs on",
    run: (test) =>
      withCluster(test, async (platform, spec) => {
        const { update, machines } = platform.clusters!;
        if (!update || !machines) return;
        const app = await test.app(1);
        const { runtimeIds } = await platform.apps.create(app, operation());
        const before = (await machines(spec)).length;
        await update({ ...spec, nodes: { count: 3, size: "" } }, operation());
        assert.equal((await machines(spec)).length, before + 2);
        await update(spec, operation());
        assert.equal((await machines(spec)).length, before);
        assert.deepEqual((await platform.apps.status(app)).runtimeIds, runtimeIds);
        await platform.clusters!.delete(spec, operation());
        assert.deepEqual(await machines(spec), []);
      }),
  },
];
