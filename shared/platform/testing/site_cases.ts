import assert from "node:assert/strict";
import type { AppSpec, CloudletPlatform } from "../mod.ts";
import type { ConformanceCase, PlatformUnderTest } from "./conformance.ts";
import { operation } from "./helpers.ts";

async function withSite(test: PlatformUnderTest, body: (platform: CloudletPlatform) => Promise<void>): Promise<void> {
  const platform = await test.open();
  try {
    await body(platform);
  } finally {
    for (const found of await platform.apps.list(operation())) await platform.apps.delete(found, operation());
    await platform.close();
  }
}

/** Rules about what a site reports and can be asked as a whole, for platforms that can. */
export const siteCases: readonly ConformanceCase[] = [
  {
    name: "sizes and resources that are reported fit together",
    run: (test) =>
      withSite(test, async (platform) => {
        const { flavors = [] } = await platform.gather(operation());
        assert.equal(new Set(flavors.map(({ name }) => name)).size, flavors.length);
        for (const { vcpus, ramMb, diskGb } of flavors) assert.ok(vcpus >= 1 && ramMb >= 1 && diskGb >= 0);
        const found = await platform.resources?.(operation());
        if (found === undefined) return;
        assert.equal(new Set(found.resources.map(({ name }) => name)).size, found.resources.length);
        for (const { name, used, max } of found.resources) assert.ok(used >= 0 && (max === 0 || used <= max), name);
        for (const { flavor } of found.machines) {
          assert.ok(flavor === "" || flavors.some(({ name }) => name === flavor), flavor);
        }
      }),
  },
  {
    name: "maintenance and trust policy can be set again and again, and taken back",
    run: (test) =>
      withSite(test, async (platform) => {
        const rule = { protocol: "tcp", firstPort: 443, lastPort: 443, remoteCidr: "10.0.0.0/8" } as const;
        for (const on of [true, true, false, false]) await platform.setMaintenance?.(on, operation());
        for (const rules of [[rule], [rule], undefined, undefined]) await platform.setTrustPolicy?.(rules, operation());
      }),
  },
  {
    name: "a machine that is switched off stays off until it is switched on; what takes resources gives them back",
    run: (test) =>
      withSite(test, async (platform) => {
        const { setPower } = platform.apps;
        if (!setPower || !platform.meta.deployments.includes("vm")) return;
        const used = async () => (await platform.resources?.(operation()))?.resources.map((resource) => resource.used);
        const before = await used();
        const { cluster: _, ...app } = await test.app(1);
        const spec: AppSpec = { ...app, deployment: "vm" };
        await platform.apps.create(spec, operation());
        if (before) assert.notDeepEqual(await used(), before);
        const state = async () => (await platform.apps.status(spec)).state;
        await setPower(spec, "off", operation());
        await setPower(spec, "off", operation());
        assert.equal(await state(), "stopped");
        const restarted = await test.open();
        assert.equal((await restarted.apps.status(spec)).state, "stopped");
        await restarted.close();
        await setPower(spec, "on", operation());
        assert.equal(await state(), "running");
        await setPower(spec, "reboot", operation());
        assert.equal(await state(), "running");
        await platform.apps.delete(spec, operation());
        assert.deepEqual(await used(), before);
        await assert.rejects(setPower(spec, "on", operation()));
      }),
  },
];
