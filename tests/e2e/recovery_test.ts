// kill -9 of any one service during the main job: it recovers without help, and nothing acknowledged is lost.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { device, deviceReaches } from "./support/device.ts";
import { freePortBase, type Platform, startPlatform } from "./support/platform.ts";
import { isRunning, killOutright, processesWith, repository } from "./support/processes.ts";
import { loginAsAdmin } from "./support/rest.ts";
import { eventually } from "./support/wait.ts";
import { deploy, instancePid, instances, makeWorld, undeploy, type World } from "./support/world.ts";

const NEAR_MUNICH = "48.37,10.90";

/** Kills the service while a deployment runs; afterwards a deployment, a look and a match must work again. */
async function killDuringDeployment(platform: Platform, world: World, type: string, site?: string): Promise<void> {
  const pid = platform.pid(type, site);
  const running = deploy(world, "hamburg").then(() => "done", () => "failed");
  await killOutright(pid);
  await eventually(`another ${type}`, () => {
    const now = platform.pid(type, site);
    return now !== pid && isRunning(now) ? now : undefined;
  });
  await running;
  await eventually(`a deployment after the loss of the ${type}`, async () => {
    const shown = await instances(world);
    const hamburg = shown.find((one) => JSON.stringify(one.key).includes('"hamburg"'));
    if (hamburg === undefined) await deploy(world, "hamburg");
    return hamburg?.state === "Ready" ? true : undefined;
  }, 120_000);
  assert.ok((await instances(world)).some((one) => JSON.stringify(one.key).includes('"munich"')));
  await deviceReaches(platform, NEAR_MUNICH, "munich");
  await deviceReaches(platform, "53.08,8.80", "hamburg");
  await undeploy(world, "hamburg");
}

Deno.test("recovery: kill -9 of each service during the main job", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  try {
    await deploy(world, "munich");
    await deviceReaches(platform, NEAR_MUNICH, "munich");
    const instance = await instancePid(world, platform, "munich");

    const survives = (type: string, site?: string) => killDuringDeployment(platform, world, type, site);

    await t.step("dme", () => survives("dme"));
    await t.step("controller", () => survives("controller"));
    await t.step("crm: its instances go on running and are adopted", async () => {
      await survives("crm", "munich");
      assert.equal(await instancePid(world, platform, "munich"), instance);
      assert.ok(isRunning(instance));
    });
    await t.step("crm that is deploying", () => survives("crm", "hamburg"));
    await t.step("master controller", () => survives("master-controller"));
    await t.step("postgres", () => survives("postgres"));
    await t.step("devices are served while the controller is away", async () => {
      const pid = platform.pid("controller");
      Deno.kill(pid, "SIGSTOP");
      try {
        assert.equal((await device(platform, NEAR_MUNICH)).status, "found");
      } finally {
        Deno.kill(pid, "SIGCONT");
      }
    });
    await t.step("the administrator's account survived all of it", async () => {
      (await loginAsAdmin(platform.info())).close();
    });
  } finally {
    world.close();
    assert.equal((await platform.stop()).code, 0);
  }
});

Deno.test("recovery: kill -9 of `up` itself takes everything along, and the next `up` finds all as it was", async () => {
  const first = await startPlatform();
  const world = await makeWorld(first, freePortBase());
  await deploy(world, "munich");
  world.close();
  const lock = first.info().services.map((service) => service.pid);
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${lock[0]}/status`))![1]);
  const { port } = new URL(first.info().masterController.rest);
  const postgres = first.pid("postgres");
  await killOutright(parent);
  await first.halt();
  await eventually("postgres to be gone too", () => isRunning(postgres) ? undefined : true);
  // On the same ports, which whatever is left running would still hold.
  const second = await startPlatform(["--port-base", port], first.data);
  try {
    await deviceReaches(second, NEAR_MUNICH, "munich", 90_000);
  } finally {
    assert.equal((await second.stop()).code, 0);
  }
});

Deno.test("a Ctrl-C that reaches the task runner and `up` alike stops everything in order", async () => {
  const data = `${await Deno.makeTempDir()}/data`;
  // a group of its own, as a terminal gives to what it runs
  const runner = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "up", "--data", data, "--port-base", String(freePortBase())],
    cwd: repository(),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
  }).spawn();
  const output = new Response(runner.stdout).text();
  await eventually("up.json", () => existsSync(`${data}/up.json`) || undefined, 120_000);
  Deno.kill(-runner.pid, "SIGINT");
  await runner.status;
  await eventually("all processes to be gone", () => processesWith(data).size === 0 || undefined);
  assert.match(await output, /Everything has stopped/);
  await Deno.remove(data, { recursive: true });
});
