/**
 * The docker platform against a real Docker Engine (20.10 or newer), which the suite starts itself as root with data and
 * socket of its own, and against a real image registry. Needs dockerd, docker-registry and a C compiler.
 */
import assert from "node:assert/strict";
import createPlatform from "../../plugins/docker/mod.ts";
import {
  type AppSpec,
  type CloudletPlatform,
  type ClusterSpec,
  PlatformError,
  probe,
} from "../../shared/platform/mod.ts";
import {
  freePort,
  operation,
  platformConformance,
  type PlatformUnderTest,
  until,
} from "../../shared/platform/testing/mod.ts";
import { systemClock, systemFiles, systemProcesses, systemRandom } from "../../shared/runtime/mod.ts";

import { type Peers, startPeers } from "./docker.ts";

const real = Deno.env.get("ARCHIPELAGO_REAL") === "1";

/** What is looked at of a container, as the engine tells it. */
interface Inspected {
  readonly HostConfig: { Memory: number; NanoCpus: number; RestartPolicy: { Name: string } };
  readonly Config: { Labels: Record<string, string> };
  readonly NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
}

const CLUSTER: ClusterSpec = {
  key: `{"cluster":"one"}`,
  id: "cluster-one",
  name: "one",
  organization: "dev",
  deployment: "docker",
  flavor: { name: "small", ramMb: 64, vcpus: 1, diskGb: 1 },
};

function underTest(
  peers: Peers,
  site: string,
  changes: Partial<AppSpec> = {},
  variables: Record<string, string> = {},
): PlatformUnderTest {
  const ports = new Map<number, number>();
  return {
    create: createPlatform,
    cluster: CLUSTER,
    async open(): Promise<CloudletPlatform> {
      const platform = createPlatform();
      await platform.init({
        region: "local",
        cloudlet: { organization: "op", name: site },
        physicalName: site,
        variables: { DOCKER_HOST: peers.address, DOCKER_RESTART_DELAY_MS: "300", ...variables },
        directory: peers.folder,
        runtime: Deno.execPath(),
        moduleRoots: [],
        log: { info() {}, warn() {}, error() {} },
        clock: systemClock(),
        random: systemRandom(),
        files: systemFiles(),
        processes: systemProcesses(),
        fetch,
      }, operation());
      return platform;
    },
    async app(number) {
      if (!ports.has(number)) ports.set(number, await freePort());
      return {
        key: `{"app":"${number}"}`,
        id: `app-${number}`,
        app: { organization: "dev", name: `app${number}`, version: "1.0" },
        deployment: "docker",
        imagePath: "hello:1",
        command: "",
        manifest: "",
        ports: [{ protocol: "tcp", internalPort: 8080, publicPort: ports.get(number)!, endPort: 0 }],
        flavor: { name: "small", ramMb: 64, vcpus: 1, diskGb: 1 },
        cluster: CLUSTER,
        revision: "1",
        ...changes,
      };
    },
    writes: /^listening$/m,
    commands: {
      prints: { words: ["/server", "print", "a", "b c"], text: "a\nb c\n" },
      fails: { words: ["/server", "3"], exitCode: 3 },
    },
    withoutImage: (spec) => ({ ...spec, imagePath: `${peers.registry}/dev/absent:1` }),
    crash: (_spec, [id]) => peers.engine.call({ method: "POST", path: `/containers/${id}/kill` }).then(() => {}),
  };
}

Deno.test({
  name: "docker platform on a real engine",
  ignore: !real,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const peers = await startPeers();
    try {
      for (const [index, { name, run }] of platformConformance.entries()) {
        await t.step(name, () => run(underTest(peers, `site${index}`)));
      }

      await t.step("an image comes from its registry when it is not present", async () => {
        await peers.engine.call({ method: "DELETE", path: `/images/${peers.registry}/dev/hello:1` });
        await peers.engine.call({ method: "DELETE", path: "/images/hello:1", query: { force: "true" } });
        const test = underTest(peers, "pull", { imagePath: `${peers.registry}/dev/hello:1` });
        const platform = await test.open();
        await platform.clusters!.create(CLUSTER, operation());
        const progress = operation();
        await platform.apps.create(await test.app(1), progress);
        assert.ok(progress.lines.some((line) => line.startsWith("Pulling the image")), progress.lines.join());
        await platform.apps.delete(await test.app(1), operation());
        await platform.clusters!.delete(CLUSTER, operation());
        await platform.close();
      });

      await t.step(
        "endless output is given up; lines have times, and a moment from which on they count",
        async () => {
          const test = underTest(peers, "output", { imagePath: `${peers.registry}/dev/hello:1` });
          const platform = await test.open();
          await platform.clusters!.create(CLUSTER, operation());
          const spec = await test.app(1);
          await platform.apps.create(spec, operation());
          const control = new AbortController();
          const flood = { containerId: "", words: ["/server", "flood"] };
          const output = platform.apps.exec!(spec, flood, operation({ signal: control.signal }));
          let bytes = 0;
          while (bytes < 10_000_000) {
            const next = await output.next();
            assert.ok(!next.done);
            bytes += next.value.data.length;
          }
          control.abort(new Error("given up"));
          await assert.rejects(async () => {
            while (!(await output.next()).done);
          }, /given up/);

          const read = async (more: { sinceMs?: number }) => {
            let text = "";
            const options = { containerId: "", timestamps: true, follow: false, ...more };
            for await (const { data } of platform.apps.logs!(spec, options, operation())) {
              text += new TextDecoder().decode(data);
            }
            return text;
          };
          assert.match(await read({}), /^20\d\d-\d\d-\d\dT\S+Z listening\n$/);
          assert.equal(await read({ sinceMs: Date.now() + 60_000 }), "");
          assert.match(await read({ sinceMs: Date.now() - 60_000 }), /listening/);
          await platform.apps.delete(spec, operation());
          await platform.clusters!.delete(CLUSTER, operation());
          await platform.close();
        },
      );

      const image = `${peers.registry}/dev/hello:1`;

      await t.step("limits, labels, ports and restart policy are set on the container", async () => {
        const test = underTest(peers, "limits", { imagePath: image });
        const platform = await test.open();
        await platform.clusters!.create(CLUSTER, operation());
        const spec = await test.app(1);
        const { runtimeIds } = await platform.apps.create(spec, operation());
        const inspect = await peers.engine.call({ path: `/containers/${runtimeIds[0]}/json` }) as Inspected;
        assert.equal(inspect.HostConfig.Memory, 64 * 1024 * 1024);
        assert.equal(inspect.HostConfig.NanoCpus, 1e9);
        assert.equal(inspect.HostConfig.RestartPolicy.Name, "unless-stopped");
        assert.equal(inspect.Config.Labels["archipelago.region"], "local");
        assert.equal(inspect.Config.Labels["archipelago.cloudlet"], "op/limits");
        assert.equal(inspect.Config.Labels["archipelago.appinst"], spec.key);
        assert.equal(inspect.NetworkSettings.Ports["8080/tcp"]?.[0]?.HostPort, String(spec.ports[0]!.publicPort));
        await platform.apps.delete(spec, operation());
        await platform.clusters!.delete(CLUSTER, operation());
        await platform.close();
      });

      await t.step("a site sees its own containers only", async () => {
        const one = underTest(peers, "one", { imagePath: image });
        const two = underTest(peers, "two", { imagePath: image });
        const [first, second] = [await one.open(), await two.open()];
        await first.clusters!.create(CLUSTER, operation());
        await first.apps.create(await one.app(1), operation());
        assert.deepEqual(await second.apps.list(operation()), []);
        assert.deepEqual(await second.clusters!.list(operation()), []);
        await second.apps.delete(await one.app(1), operation());
        assert.equal((await first.apps.status(await one.app(1))).state, "running");
        await first.apps.delete(await one.app(1), operation());
        await first.clusters!.delete(CLUSTER, operation());
        await first.close();
        await second.close();
      });

      await t.step("errors say what is wrong and leave nothing", async () => {
        const test = underTest(peers, "errors", { imagePath: image });
        const platform = await test.open();
        await platform.clusters!.create(CLUSTER, operation());
        const spec = await test.app(1);
        const cases: [Partial<AppSpec>, string, RegExp][] = [
          [{ command: "3" }, "Inconsistent", /does not start.*no database/],
          [{ imagePath: "not an image" }, "Invalid", /not the name of an image/],
          [{ imagePath: "127.0.0.1:1/x/y:1" }, "Transient", /cannot be pulled/],
          [{ manifest: "services: {}" }, "Invalid", /at least one service/],
          [{ flavor: { ...spec.flavor, vcpus: 4096 } }, "Quota", /4096 CPUs/],
          [{ cluster: { ...CLUSTER, key: "other" } }, "NotFound", /network .* is gone/],
        ];
        for (const [changes, fault, message] of cases) {
          await assert.rejects(platform.apps.create({ ...spec, ...changes }, operation()), (error) => {
            assert.ok(
              error instanceof PlatformError && error.fault === fault && message.test(error.message),
              String(error),
            );
            return true;
          });
          assert.deepEqual(await platform.apps.list(operation()), []);
        }
        await platform.clusters!.delete(CLUSTER, operation());
        await platform.close();
      });

      await t.step(
        "a port on which nothing listens behind the engine's proxy does not count as answering",
        async () => {
          const test = underTest(peers, "proxy", {
            imagePath: image,
            ports: [{ protocol: "tcp", internalPort: 9, publicPort: await freePort(), endPort: 0 }],
          }, { DOCKER_START_TIMEOUT_MS: "3000" });
          const platform = await test.open();
          await platform.clusters!.create(CLUSTER, operation());
          await assert.rejects(
            platform.apps.create(await test.app(1), operation()),
            /closes connections at once/,
          );
          await platform.clusters!.delete(CLUSTER, operation());
          await platform.close();
        },
      );

      await t.step("the engine's own restart loses no instance", async () => {
        const test = underTest(peers, "again", { imagePath: image });
        const platform = await test.open();
        await platform.clusters!.create(CLUSTER, operation());
        const spec = await test.app(1);
        const { runtimeIds } = await platform.apps.create(spec, operation());
        await peers.engine.call({ method: "POST", path: `/containers/${runtimeIds[0]}/stop` });
        await until("it was started again", async () => {
          const { state, probes } = await platform.apps.status(spec);
          return state === "running" && await probe(probes[0]!, 2000) === undefined;
        });
        await platform.apps.delete(spec, operation());
        await platform.clusters!.delete(CLUSTER, operation());
        await platform.close();
      });

      await t.step(
        "an app of several services: networks, names, volumes, order, one that ends, and no trace",
        async () => {
          const file = (word: string, command = "count /data/n") => `
services:
  web:
    image: ${image}
    command: [relay, store.inside, "8080"]
    ports: ["80:8080"]
    networks: [front, back]
    depends_on: [store]
  store:
    image: ${image}
    entrypoint: /server
    command: ${command}
    environment: { WORD: ${word} }
    volumes: ["data:/data"]
    networks: { back: { aliases: [store.inside] } }
    depends_on: [init]
  init:
    image: ${image}
    command: print ready
    restart: "no"
volumes: { data: {} }
networks: { front: {}, back: {} }
`;
          const test = underTest(peers, "compose", {}, {
            DOCKER_RESTART_DELAY_MS: "100",
            DOCKER_START_TIMEOUT_MS: "10000",
          });
          const platform = await test.open();
          const compose = async (number: number, manifest: string, revision = "1"): Promise<AppSpec> => {
            const app = await test.app(number);
            const ports = [{ ...app.ports[0]!, internalPort: 80 }];
            return { ...app, imagePath: "", manifest, revision, ports, flavor: { ...app.flavor, ramMb: 90 } };
          };
          const left = async () => {
            const filters = JSON.stringify({ label: ["archipelago.cloudlet=op/compose", "archipelago.appinst"] });
            const all = await Promise.all(
              ["/containers/json", "/networks", "/volumes"].map((path) =>
                peers.engine.call({ path, query: { all: "true", filters } })
              ),
            ) as [unknown[], unknown[], { Volumes: unknown[] | null }];
            return [all[0].length, all[1].length, all[2].Volumes?.length ?? 0];
          };
          await platform.clusters!.create(CLUSTER, operation());
          const [one, two] = [await compose(1, file("one")), await compose(2, file("two"))];
          const progress = operation();
          const made = await platform.apps.create(one, progress);
          assert.deepEqual(
            progress.lines.filter((line) => line.startsWith("Starting")).map((line) => line.split(": ")[1]),
            [
              "init",
              "store",
              "web",
            ],
          );
          await platform.apps.create(two, operation());
          const says = (spec: AppSpec) => greeting(spec.ports[0]!.publicPort);
          assert.deepEqual([await says(one), await says(two)], ["1 one\n", "1 two\n"]);
          assert.equal(made.runtimeIds.length, 3);
          assert.deepEqual(await platform.apps.create(one, operation()), made);
          assert.deepEqual(await left(), [6, 6, 2]);
          const memory = await Promise.all(
            made.runtimeIds.map(async (id) =>
              (await peers.engine.call({ path: `/containers/${id}/json` }) as Inspected).HostConfig.Memory
            ),
          );
          assert.deepEqual(memory, Array(3).fill(30 * 1024 * 1024));

          let text = "";
          const options = { containerId: "init", timestamps: false, follow: false };
          for await (const { data } of platform.apps.logs!(one, options, operation())) {
            text += new TextDecoder().decode(data);
          }
          assert.equal(text, "ready\n");

          // A service that is stopped behind our back is started again; another process adopts all of it.
          await peers.engine.call({ method: "POST", path: `/containers/${made.runtimeIds[1]}/stop` });
          const restarted = await test.open();
          await until("the service is back", async () => await says(one).catch(() => "") === "2 one\n");
          assert.deepEqual(
            (await restarted.apps.list(operation())).map(({ key }) => key).sort(),
            [one.key, two.key].sort(),
          );
          assert.deepEqual((await restarted.apps.status(one)).runtimeIds, made.runtimeIds);
          await restarted.close();

          // Without one of its containers it counts as lost, and is made anew; what is in volumes stays, in updates too.
          await peers.engine.call({
            method: "DELETE",
            path: `/containers/${made.runtimeIds[1]}`,
            query: { force: "true" },
          });
          assert.equal((await platform.apps.status(one)).state, "absent");
          await platform.apps.create(one, operation());
          assert.equal(await says(one), "3 one\n");
          await platform.apps.update!(await compose(1, file("new"), "2"), operation());
          assert.equal(await says(one), "4 new\n");

          // What fails leaves nothing of its own, and what was there before in place.
          await assert.rejects(platform.apps.create(await compose(3, file("three", '"9"')), operation()), (error) => {
            assert.ok(error instanceof PlatformError, String(error));
            assert.match(error.message, /store's last lines: no database/);
            return true;
          });
          assert.deepEqual(await left(), [6, 6, 2]);
          await assert.rejects(
            platform.apps.update!(await compose(2, file("two", '"9"'), "2"), operation()),
            /no database/,
          );
          assert.deepEqual(await left(), [3, 3, 2]);
          await platform.apps.update!(two, operation());
          assert.equal(await says(two), "2 two\n");

          for (
            const [manifest, message] of [
              [file("x").replace('"80:8080"', '"81:8080"'), /No service of the compose file publishes port tcp:80/],
              [file("x").replace("restart:", "privileged:"), /privileged.*no privileges/],
              ["https://files.example/a.zip", /archive of compose files cannot run/],
            ] as const
          ) {
            await assert.rejects(platform.apps.create(await compose(4, manifest), operation()), message);
          }
          for (const spec of [one, two]) await platform.apps.delete(spec, operation());
          assert.deepEqual(await left(), [0, 0, 0]);
          await platform.clusters!.delete(CLUSTER, operation());
          await platform.close();
        },
      );

      const left = await peers.engine.call({ path: "/containers/json", query: { all: "true" } }) as unknown[];
      assert.deepEqual(left, []);
    } finally {
      await peers.stop();
    }
  },
});

/** What the app says to who connects. */
async function greeting(port: number): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of connection.readable) text += decoder.decode(chunk);
    return text;
  } finally {
    try {
      connection.close();
    } catch {
      // The stream was read to its end and has closed it.
    }
  }
}
