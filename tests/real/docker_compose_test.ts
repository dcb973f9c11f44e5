// Compose files on a real Docker Engine: networks, names, volumes, order, services that end, and no trace of any of it.
import assert from "node:assert/strict";
import { type AppSpec, PlatformError } from "../../shared/platform/mod.ts";
import { operation, until } from "../../shared/platform/testing/mod.ts";
import { type Peers, startPeers } from "./docker.ts";
import { CLUSTER, underTest } from "./docker_site.ts";

Deno.test({
  name: "docker platform: an app of several services on a real engine",
  ignore: Deno.env.get("ARCHIPELAGO_REAL") !== "1",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const peers = await startPeers();
    try {
      await severalServices(peers);
    } finally {
      await peers.stop();
    }
  },
});

async function severalServices(peers: Peers): Promise<void> {
  const image = `${peers.registry}/dev/hello:1`;

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
      (await peers.engine.call({ path: `/containers/${id}/json` }) as { HostConfig: { Memory: number } }).HostConfig
        .Memory
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

  // A service that is to come to its end, and fails: at once, or when it has been tried as often as it may be.
  for (const restart of ['"no"', "on-failure:1"]) {
    const failing = file("three").replace("command: print ready", 'command: "3"').replace(
      'restart: "no"',
      `restart: ${restart}`,
    );
    await assert.rejects(
      platform.apps.create(await compose(3, failing), operation()),
      /does not start.*init: Exited \(3\).*init's last lines: no database/,
    );
  }
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
}

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
