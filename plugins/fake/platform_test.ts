import assert from "node:assert/strict";
import type { AppSpec, CloudletPlatform, ClusterSpec, PlatformError } from "../../shared/platform/mod.ts";
import {
  operation,
  platformConformance,
  platformContext,
  type PlatformUnderTest,
} from "../../shared/platform/testing/mod.ts";
import createPlatform from "./mod.ts";

const FLAVOR = { name: "small", ramMb: 1024, vcpus: 1, diskGb: 1 };
const CLUSTER: ClusterSpec = {
  key: "cluster-1",
  id: "cluster-1",
  name: "one",
  organization: "dev",
  deployment: "kubernetes",
  flavor: FLAVOR,
};

interface Setup extends PlatformUnderTest {
  readonly folder: string;
  openWith(variables: Record<string, string>): Promise<CloudletPlatform>;
}

async function setup(): Promise<Setup> {
  const folder = await Deno.makeTempDir({ prefix: "fake-platform-" });
  async function openWith(variables: Record<string, string>): Promise<CloudletPlatform> {
    const platform = createPlatform();
    await platform.init(platformContext({ variables, directory: folder }), operation());
    return platform;
  }
  return {
    folder,
    openWith,
    create: createPlatform,
    open: () => openWith({}),
    pretends: true,
    writes: /runs as/,
    commands: {
      prints: { words: ["echo", "a", "b c"], text: "a b c\n" },
      fails: { words: ["exit", "3"], exitCode: 3 },
    },
    cluster: CLUSTER,
    app: (number) => Promise.resolve(app(number)),
    withoutImage: (spec) => ({ ...spec, imagePath: "does-not-exist:1" }),
    async crash(spec) {
      await Deno.mkdir(`${folder}/faults`, { recursive: true });
      await Deno.writeTextFile(`${folder}/faults/${spec.id}`, "");
    },
  };
}

function app(number: number): AppSpec {
  return {
    key: `app ${number}`,
    id: `app-${number}`,
    app: { organization: "dev", name: `app${number}`, version: "1.0" },
    deployment: "kubernetes",
    imagePath: "docker.io/echo:1",
    command: "",
    manifest: "",
    ports: [{ protocol: "tcp", internalPort: 80, publicPort: 80, endPort: 0 }],
    flavor: FLAVOR,
    cluster: CLUSTER,
    revision: "1",
  };
}

for (const { name, run } of platformConformance) {
  Deno.test(`fake plugin: ${name}`, async () => {
    const test = await setup();
    try {
      await run(test);
    } finally {
      await Deno.remove(test.folder, { recursive: true });
    }
  });
}

async function using(variables: Record<string, string>, body: (platform: CloudletPlatform) => Promise<void>) {
  const test = await setup();
  const platform = await test.openWith(variables);
  try {
    await body(platform);
  } finally {
    await platform.close();
    await Deno.remove(test.folder, { recursive: true });
  }
}

Deno.test("fake plugin: sizes and limits are the cloudlet's, and what is full is said", () =>
  using({ FAKE_FLAVORS: "a 1/512/10; b 2/4096/40; g 2/4096/40 pci=t4:1", FAKE_RAM_MAX: "9000" }, async (platform) => {
    const { flavors, ramMb } = await platform.gather(operation());
    assert.deepEqual(flavors!.map(({ name }) => name), ["a", "b", "g"]);
    assert.deepEqual([flavors![2]!.properties, ramMb], [{ pci: "t4:1" }, 9000]);
    const used = async () => (await platform.resources!(operation())).resources.map((resource) => resource.used);
    // the platform's own machine and the shared load balancer
    assert.deepEqual(await used(), [512 + 4096, 3, 50, 0, 2]);
    await platform.clusters!.create({ ...CLUSTER, nodes: { count: 1, size: "g" } }, operation());
    assert.deepEqual(await used(), [512 + 2 * 4096, 5, 90, 1, 2]);
    await assert.rejects(
      platform.clusters!.update!({ ...CLUSTER, nodes: { count: 2, size: "g" } }, operation()),
      (error: PlatformError) => error.fault === "Quota" && /RAM: 8192 wanted, 4392 of 9000 free/.test(error.message),
    );
    assert.deepEqual((await platform.clusters!.machines!(CLUSTER)).map(({ type, flavor }) => [type, flavor]), [
      ["k8s-cluster-node", "g"],
    ]);
  }));

Deno.test("fake plugin: chosen steps fail or stand still, for chosen keys, and leave nothing behind", () =>
  using({ FAKE_FAIL: "create-appinst:app 2,delete-cluster", FAKE_STALL: "create-appinst:app 3" }, async (platform) => {
    await platform.clusters!.create(CLUSTER, operation());
    await platform.apps.create(app(1), operation());
    await assert.rejects(platform.apps.create(app(2), operation()), /create-appinst failed/);
    await assert.rejects(platform.clusters!.delete(CLUSTER, operation()), /delete-cluster failed/);
    const control = new AbortController();
    const stalled = platform.apps.create(app(3), operation({ signal: control.signal }));
    const ended = assert.rejects(stalled, /enough/);
    control.abort(new Error("enough"));
    await ended;
    assert.deepEqual((await platform.apps.list(operation())).map(({ key }) => key), ["app 1"]);
  }));

Deno.test("fake plugin: variables of a wrong form are refused by name", async () => {
  const test = await setup();
  for (const [name, value] of [["FAKE_FAIL", "sleep"], ["FAKE_FLAVORS", "a"], ["FAKE_RAM_MAX", "-1"]] as const) {
    await assert.rejects(test.openWith({ [name]: value }), (error: PlatformError) => error.message.includes(name));
  }
  await Deno.remove(test.folder, { recursive: true });
});
