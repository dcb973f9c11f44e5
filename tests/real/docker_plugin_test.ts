/**
 * The docker platform against a real Docker Engine (20.10 or newer), which the suite starts itself as root with data and
 * socket of its own, and against a real image registry. Needs dockerd, docker-registry and a C compiler.
 */
import assert from "node:assert/strict";
import { type AppSpec, PlatformError, probe } from "../../shared/platform/mod.ts";
import { freePort, operation, platformConformance, until } from "../../shared/platform/testing/mod.ts";

import { startPeers } from "./docker.ts";
import { CLUSTER, underTest } from "./docker_site.ts";

const real = Deno.env.get("ARCHIPELAGO_REAL") === "1";

/** What is looked at of a container, as the engine tells it. */
interface Inspected {
  readonly HostConfig: { Memory: number; NanoCpus: number; RestartPolicy: { Name: string } };
  readonly Config: { Labels: Record<string, string> };
  readonly NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
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

      const left = await peers.engine.call({ path: "/containers/json", query: { all: "true" } }) as unknown[];
      assert.deepEqual(left, []);
    } finally {
      await peers.stop();
    }
  },
});
