import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { type AppSpec, type CloudletPlatform, type ClusterSpec, featuresOf, PlatformError, probe } from "../mod.ts";
import { clusterCases } from "./cluster_cases.ts";
import { operation, until } from "./helpers.ts";
import { outputCases } from "./output_cases.ts";
import { siteCases } from "./site_cases.ts";

/** One plugin and an infrastructure of its own, empty at the start of each case. */
export interface PlatformUnderTest {
  /** A new platform over the same infrastructure and folder, initialised: what a restarted process makes. */
  open(): Promise<CloudletPlatform>;
  /** A platform that is not initialised. */
  create(): CloudletPlatform;
  /** An instance that serves tcp; equal numbers give equal specifications (and ports). */
  app(number: number): Promise<AppSpec>;
  /** Instances only pretend to run, and listen on no port. */
  readonly pretends?: boolean;
  /** What an instance writes at its start, for platforms that keep it. */
  readonly writes?: RegExp;
  /** Commands in an instance, for platforms that run some: one with what it prints, and one with its exit code. */
  readonly commands?: {
    readonly prints: { readonly words: readonly string[]; readonly text: string };
    readonly fails: { readonly words: readonly string[]; readonly exitCode: number };
  };
  /** Cluster of the instances, for platforms with clusters; it does not exist yet. */
  readonly cluster?: ClusterSpec;
  /** The same specification with an image that does not exist. */
  withoutImage(spec: AppSpec): AppSpec;
  /** Ends what runs for an instance, as a fault would. */
  crash(spec: AppSpec, runtimeIds: readonly string[]): Promise<void>;
}

/** One rule that every plugin keeps. */
export interface ConformanceCase {
  readonly name: string;
  run(test: PlatformUnderTest): Promise<void>;
}

async function withPlatform(
  test: PlatformUnderTest,
  body: (platform: CloudletPlatform) => Promise<void>,
): Promise<void> {
  const platform = await test.open();
  try {
    if (test.cluster) await platform.clusters!.create(test.cluster, operation());
    await body(platform);
  } finally {
    await removeAll(platform);
    await platform.close();
  }
}

async function removeAll(platform: CloudletPlatform): Promise<void> {
  for (const found of await platform.apps.list(operation())) await platform.apps.delete(found, operation());
  for (const found of await platform.clusters?.list(operation()) ?? []) {
    await platform.clusters!.delete(found, operation());
  }
}

async function answers(platform: CloudletPlatform, spec: AppSpec): Promise<boolean> {
  const { state, probes } = await platform.apps.status(spec);
  if (state !== "running") return false;
  return (await Promise.all(probes.map((target) => probe(target, 2000)))).every((failure) => failure === undefined);
}

async function listed(platform: CloudletPlatform): Promise<string[]> {
  return (await platform.apps.list(operation())).map((found) => found.key).sort();
}

function faultIs(fault: string, part?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PlatformError, String(error));
    assert.equal(error.fault, fault, error.message);
    if (part !== undefined) assert.ok(error.message.includes(part), `"${error.message}" should hold "${part}"`);
    return true;
  };
}

/** The suite that every plugin passes. */
export const platformConformance: readonly ConformanceCase[] = [
  {
    name: "its description is complete and its defaults fit their own rules",
    run(test) {
      const platform = test.create();
      assert.match(platform.meta.type, /^[a-z0-9]+$/);
      assert.ok(platform.meta.deployments.length > 0);
      for (const property of [...platform.meta.properties, ...platform.meta.accessVariables]) {
        assert.ok(property.description.length > 10, property.name);
        if (property.default !== undefined && property.pattern) assert.match(property.default, property.pattern);
      }
      assert.equal(featuresOf(platform).supportsClusters, test.cluster !== undefined);
      return Promise.resolve();
    },
  },
  {
    name: "before init every operation is refused",
    async run(test) {
      const platform = test.create();
      const spec = await test.app(1);
      await assert.rejects(async () => await platform.apps.create(spec, operation()), PlatformError);
      await assert.rejects(async () => await platform.apps.list(operation()), PlatformError);
    },
  },
  {
    name: "gather says what the site can give",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const facts = await platform.gather(operation());
        assert.ok(facts.vcpus >= 1 && facts.ramMb >= 0, JSON.stringify(facts));
        assert.ok(Object.keys(facts.properties).length > 0);
      }),
  },
  {
    name: "a created instance runs, answers and is listed; a deleted one is gone without a trace",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        assert.equal((await platform.apps.status(spec)).state, "absent");
        const progress = operation();
        const outcome = await platform.apps.create(spec, progress);
        assert.ok(progress.lines.length > 0);
        assert.equal(outcome.runtimeIds.length, 1);
        assert.ok(await answers(platform, spec));
        assert.deepEqual(await listed(platform), [spec.key]);
        const { probes } = await platform.apps.status(spec);
        await platform.apps.delete(spec, operation());
        assert.equal((await platform.apps.status(spec)).state, "absent");
        assert.deepEqual(await listed(platform), []);
        for (const target of probes) assert.ok(await probe(target, 1000), "nothing may answer any more");
      }),
  },
  {
    name: "creating what runs already changes nothing",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        const first = await platform.apps.create(spec, operation());
        assert.deepEqual(await platform.apps.create(spec, operation()), first);
      }),
  },
  {
    name: "another revision replaces what runs",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        const first = await platform.apps.create(spec, operation());
        const second = await platform.apps.create({ ...spec, revision: "another" }, operation());
        assert.notDeepEqual(second.runtimeIds, first.runtimeIds);
        assert.deepEqual(await listed(platform), [spec.key]);
        assert.ok(await answers(platform, spec));
      }),
  },
  {
    name: "deleting what is not there succeeds, twice too",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        await platform.apps.delete(spec, operation());
        await platform.apps.delete(spec, operation());
      }),
  },
  {
    name: "an image that does not exist is named and leaves nothing behind",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = test.withoutImage(await test.app(1));
        await assert.rejects(platform.apps.create(spec, operation()), faultIs("NotFound"));
        assert.deepEqual(await listed(platform), []);
      }),
  },
  {
    name: "a port that is taken is named and leaves nothing behind",
    run: (test) =>
      withPlatform(test, async (platform) => {
        if (test.pretends) return;
        const spec = await test.app(1);
        const { publicPort } = spec.ports[0]!;
        const squatter = createServer();
        await new Promise<void>((resolve) => squatter.listen(publicPort, "0.0.0.0", resolve));
        try {
          assert.equal((squatter.address() as AddressInfo).port, publicPort);
          await assert.rejects(platform.apps.create(spec, operation()), faultIs("Conflict", String(publicPort)));
          assert.deepEqual(await listed(platform), []);
        } finally {
          await new Promise<void>((resolve) => squatter.close(() => resolve()));
        }
        await platform.apps.create(spec, operation());
      }),
  },
  {
    name: "a deployment that it does not run is refused",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const deployment = ["helm", "tape"].find((name) => !platform.meta.deployments.includes(name))!;
        const spec = { ...await test.app(1), deployment };
        await assert.rejects(platform.apps.create(spec, operation()), faultIs("Invalid", deployment));
        assert.deepEqual(await listed(platform), []);
      }),
  },
  {
    name: "an operation that was given up leaves nothing behind",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        const reason = new Error("given up");
        const given = AbortSignal.abort(reason);
        await assert.rejects(platform.apps.create(spec, operation({ signal: given })), reason);
        await assert.rejects(platform.apps.create(spec, operation({ timeoutMs: -1 })), PlatformError);
        assert.deepEqual(await listed(platform), []);
      }),
  },
  {
    name: "several instances come and go in parallel",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const specs = await Promise.all([1, 2, 3].map((number) => test.app(number)));
        await Promise.all(specs.map((spec) => platform.apps.create(spec, operation())));
        assert.deepEqual(await listed(platform), specs.map((spec) => spec.key).sort());
        assert.ok((await Promise.all(specs.map((spec) => answers(platform, spec)))).every(Boolean));
        await Promise.all(specs.map((spec) => platform.apps.delete(spec, operation())));
        assert.deepEqual(await listed(platform), []);
      }),
  },
  {
    name: "an instance that dies is reported and started again",
    run: (test) =>
      withPlatform(test, async (platform) => {
        const spec = await test.app(1);
        const { runtimeIds } = await platform.apps.create(spec, operation());
        const seen = new Set<string>();
        const end = platform.apps.watch((key) =>
          void platform.apps.status(spec).then(({ state }) => seen.add(`${key} ${state}`))
        );
        await test.crash(spec, runtimeIds);
        await until("the death is reported", () =>
          [...seen].some((text) => text.startsWith(spec.key) && !text.endsWith(" running")));
        await until("it answers again", () =>
          answers(platform, spec));
        end();
      }),
  },
  {
    name: "a restarted manager adopts what runs, without touching it",
    async run(test) {
      const before = await test.open();
      if (test.cluster) await before.clusters!.create(test.cluster, operation());
      const spec = await test.app(1);
      const outcome = await before.apps.create(spec, operation());
      await before.close();
      await withPlatform(test, async (platform) => {
        assert.deepEqual(await listed(platform), [spec.key]);
        assert.ok(await answers(platform, spec));
        assert.deepEqual((await platform.apps.status(spec)).runtimeIds, outcome.runtimeIds);
        assert.deepEqual(await platform.apps.create(spec, operation()), outcome);
        await test.crash(spec, outcome.runtimeIds);
        await until(
          "an adopted one is started again after its death",
          async () => await answers(platform, spec) && (await listed(platform)).length === 1,
        );
        await platform.apps.delete(spec, operation());
        assert.deepEqual(await listed(platform), []);
      });
    },
  },
  {
    name: "a restarted manager can remove what it was not told of",
    async run(test) {
      const before = await test.open();
      if (test.cluster) await before.clusters!.create(test.cluster, operation());
      const spec = await test.app(1);
      await before.apps.create(spec, operation());
      const { probes } = await before.apps.status(spec);
      await before.close();
      await withPlatform(test, async (platform) => {
        const [stranger] = await platform.apps.list(operation());
        await platform.apps.delete({ key: stranger!.key, id: stranger!.id }, operation());
        assert.deepEqual(await listed(platform), []);
        for (const target of probes) assert.ok(await probe(target, 1000), "nothing may answer any more");
      });
    },
  },
  {
    name: "closing with stopApps ends every instance",
    async run(test) {
      const platform = await test.open();
      if (test.cluster) await platform.clusters!.create(test.cluster, operation());
      const spec = await test.app(1);
      await platform.apps.create(spec, operation());
      const { probes } = await platform.apps.status(spec);
      await platform.close({ stopApps: true });
      for (const target of probes) assert.ok(await probe(target, 1000), "nothing may answer any more");
      await withPlatform(test, () => Promise.resolve());
    },
  },
  ...clusterCases,
  ...siteCases,
  ...outputCases,
];
