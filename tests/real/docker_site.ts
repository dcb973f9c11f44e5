import createPlatform from "../../plugins/docker/mod.ts";
import type { AppSpec, CloudletPlatform, ClusterSpec } from "../../shared/platform/mod.ts";
import { freePort, operation, platformContext, type PlatformUnderTest } from "../../shared/platform/testing/mod.ts";
import type { Peers } from "./docker.ts";

/** Cluster of the instances under test. */
export const CLUSTER: ClusterSpec = {
  key: `{"cluster":"one"}`,
  id: "cluster-one",
  name: "one",
  organization: "dev",
  deployment: "docker",
  flavor: { name: "small", ramMb: 64, vcpus: 1, diskGb: 1 },
};

/** The platform of a site of its own on the test's engine. */
export function underTest(
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
      await platform.init(
        platformContext({
          cloudlet: { organization: "op", name: site },
          physicalName: site,
          variables: { DOCKER_HOST: peers.address, DOCKER_RESTART_DELAY_MS: "300", ...variables },
          directory: peers.folder,
        }),
        operation(),
      );
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
