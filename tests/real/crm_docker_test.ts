// The resource manager as a process under its permission set, with containers on a real engine.
import assert from "node:assert/strict";
import { freePort, until } from "../../shared/platform/testing/mod.ts";
import { dme, PlatformType, TrackedState } from "../../shared/schema/mod.ts";
import { type CrmCommand, withSite } from "../../tiers/cloudlet/crm/testing/process.ts";
import { startPeers } from "./docker.ts";

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const { HEALTH_CHECK_OK, HEALTH_CHECK_SERVER_FAIL } = dme.HealthCheck;

async function greeting(port: number): Promise<string> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(16);
    return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  } catch {
    return "";
  }
}

Deno.test({
  name:
    "crm with docker on a real engine: cluster, container, kill -9 of the manager, death of the container, deletion",
  ignore: Deno.env.get("ARCHIPELAGO_REAL") !== "1",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const peers = await startPeers();
    const socket = peers.address.replace("unix://", "");
    const command: CrmCommand = ({ folder }, args) => ({
      command: Deno.execPath(),
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        `--config=${source}/deno.json`,
        "-P=crm",
        `--allow-read=${folder},${socket}`,
        `--allow-write=${folder}/data,${socket}`,
        `--allow-run=${Deno.execPath()}`,
        `${source}/tiers/cloudlet/crm/main.ts`,
        ...args,
      ],
    });
    const containers = () =>
      peers.engine.call({ path: "/containers/json", query: { all: "true" } }) as Promise<unknown[]>;
    try {
      await withSite(command, async (site) => {
        const { region } = site;
        const port = await freePort();
        const mappedPorts = [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 8080, publicPort: port }];
        region.cluster(TrackedState.CREATE_REQUESTED);
        region.app({ deployment: "docker", imagePath: `${peers.registry}/dev/hello:1` });
        region.site({
          platformType: PlatformType.PLATFORM_TYPE_DOCKER,
          envVar: { DOCKER_HOST: peers.address, DOCKER_RESTART_DELAY_MS: "2000" },
        });
        const first = site.start();
        await until("the cluster is told", () => region.clusters.at(-1)?.state === TrackedState.READY);
        region.cluster(TrackedState.READY);
        region.instance(1, TrackedState.CREATE_REQUESTED, 1, { mappedPorts });
        const ready = await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
        region.instance(1, TrackedState.READY, 1, { mappedPorts });
        assert.equal(await greeting(port), "hello\n");

        first.kill("SIGKILL");
        await first.ended();
        assert.equal(await greeting(port), "hello\n");
        region.instances.length = 0;
        const second = site.start();
        const adopted = await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
        assert.deepEqual(adopted.runtimeInfo, ready.runtimeInfo);

        const [id] = adopted.runtimeInfo!.containerIds;
        await peers.engine.call({ method: "POST", path: `/containers/${id}/kill` });
        await region.tells(1, TrackedState.READY, HEALTH_CHECK_SERVER_FAIL);
        await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
        await until("it serves again", async () => await greeting(port) === "hello\n");

        // a missing image is told with its name, and nothing of it stays
        region.app({ deployment: "docker", imagePath: `${peers.registry}/dev/absent:1` });
        const cluster = {
          clusterKey: { name: "one" },
          cloudletKey: { organization: "op", name: "site" },
          organization: "dev2",
        };
        region.cluster(TrackedState.READY, cluster);
        region.instance(2, TrackedState.CREATE_REQUESTED);
        const failed = await region.tells(2, TrackedState.CREATE_ERROR);
        assert.match(failed.errors.join(), /dev\/absent:1 is not in its registry/);
        region.forget(2);

        region.instance(1, TrackedState.DELETE_REQUESTED, 1, { mappedPorts });
        await region.tells(1, TrackedState.DELETE_DONE);
        region.forget(1);

        // an app of two services, of which one leads to the other
        const image = `${peers.registry}/dev/hello:1`;
        region.app({
          deployment: "docker",
          imagePath: "",
          deploymentManifest: JSON.stringify({
            services: {
              web: { image, command: ["relay", "store", "8080"], ports: ["8080"], depends_on: ["store"] },
              store: { image, command: "count /data/n", volumes: ["data:/data"] },
            },
            volumes: { data: {} },
          }),
        });
        region.instance(1, TrackedState.CREATE_REQUESTED, 2, { mappedPorts });
        const composed = await region.tells(1, TrackedState.READY, HEALTH_CHECK_OK);
        assert.equal(composed.runtimeInfo!.containerIds.length, 2);
        region.instance(1, TrackedState.READY, 2, { mappedPorts });
        assert.equal(await greeting(port), "1 \n");
        region.instance(1, TrackedState.DELETE_REQUESTED, 2, { mappedPorts });
        await region.tells(1, TrackedState.DELETE_DONE);
        region.forget(1);

        region.cluster(TrackedState.DELETE_REQUESTED);
        await until("the end of the cluster is told", () => region.clusters.at(-1)?.state === TrackedState.DELETE_DONE);
        assert.deepEqual(await containers(), []);
        second.kill("SIGTERM");
        assert.equal(await second.ended(), 0, second.log.join("\n"));
      });
    } finally {
      await peers.stop();
    }
  },
});
