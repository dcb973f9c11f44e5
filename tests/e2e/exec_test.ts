// Logs and commands of an instance through all tiers, by the public interface and the command line.
import assert from "node:assert/strict";
import { freePortBase, type Platform, startPlatform } from "./support/platform.ts";
import { repository } from "./support/processes.ts";
import { eventually } from "./support/wait.ts";
import { appKey, cloudletKey, deploy, instanceKey, makeWorld } from "./support/world.ts";

/** Text of the pieces of output, and the exit code. */
function written(pieces: readonly Record<string, unknown>[]): { text: string; ended: boolean } {
  const text = pieces.map(({ data }) => atob(String(data ?? ""))).join("");
  return { text, ended: pieces.at(-1)?.ended === true };
}

/** Outputs that the site's resource manager gives now. */
async function outputs(platform: Platform): Promise<number> {
  const crm = platform.info().services.find(({ type, cloudlet }) =>
    type === "crm" && JSON.stringify(cloudlet).includes("munich")
  )!;
  const response = await fetch(`${crm.urls.admin}/state`);
  return (await response.json() as { outputs: number }).outputs;
}

/** The command line as an administrator. */
function mcctl(platform: Platform, home: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "tools/mcctl/main.ts", "--up", `${platform.data}/up.json`, ...args],
    cwd: repository(),
    env: { HOME: home, NO_COLOR: "1", DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno` },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("logs and commands of an instance, from the site to the command line", async (t) => {
  const platform = await startPlatform();
  const world = await makeWorld(platform, freePortBase());
  const home = await Deno.makeTempDir({ prefix: "archipelago-home-" });
  const about = { app_inst_key: instanceKey("munich") };
  try {
    await deploy(world, "munich");

    await t.step("the developer reads what the app has written", async () => {
      const read = async () => written(await world.developer.ctrl("StreamLogs", { execrequest: about }));
      const { text, ended } = await eventually("the app's line", async () => {
        const found = await read();
        return found.text === "" ? undefined : found;
      });
      assert.equal(text, "echo begins in northwind/munich\n");
      assert.ok(ended);
    });

    await t.step("others may not", async () => {
      for (const rpc of ["StreamLogs", "StreamCommand", "ShowLogs", "RunCommand"]) {
        const body = { region: "local", execrequest: { ...about, cmd: { command: "ls" } } };
        assert.equal((await world.operator.call(`auth/ctrl/${rpc}`, body)).status, 403, rpc);
      }
      const { key } = { key: { cluster_inst_key: { cloudlet_key: cloudletKey("munich") } } };
      const access = { region: "local", execrequest: { app_inst_key: key } };
      for (const user of [world.developer, world.operator]) {
        assert.equal((await user.call("auth/ctrl/AccessCloudlet", access)).status, 403);
      }
      assert.match((await world.admin.call("auth/ctrl/AccessCloudlet", access)).text, /EdgeTurn address must be/);
    });

    await t.step("a command is refused by the site with the reason, and is in the logs", async () => {
      const body = { region: "local", execrequest: { ...about, cmd: { command: "cat 'my notes'" } } };
      const { status, text } = await world.developer.call("auth/ctrl/StreamCommand", body);
      assert.equal(status, 400);
      assert.match(text, /sandboxed modules, in which there is no shell/);
      const logOf = (type: string) =>
        Deno.readTextFileSync(platform.info().services.find((service) => service.type === type)!.log).split("\n");
      const line = logOf("controller").find((line) => line.includes("cat 'my notes'"));
      const { user, message } = JSON.parse(line!) as { user: string; message: string };
      assert.deepEqual([message, user], ["exec", "dev"]);
      assert.ok(logOf("master-controller").some((line) => line.includes("StreamCommand") && line.includes('"audit"')));
      const shown = await world.developer.call("auth/ctrl/ShowLogs", { region: "local", execrequest: about });
      assert.match(shown.text, /EdgeTurn address must be configured/);
    });

    await t.step("the command line follows until it is interrupted, which stops the source", async () => {
      const password = Deno.readTextFileSync(platform.info().admin.passwordFile).trim();
      const login = await mcctl(platform, home, ["login", "name=mexadmin", `password=${password}`]).output();
      assert.equal(login.code, 0, new TextDecoder().decode(login.stderr));
      const { organization, name, version } = appKey;
      const site = cloudletKey("munich");
      const key = [
        ...[`apporg=${organization}`, `appname=${name}`, `appvers=${version}`],
        ...[`cloudletorg=${site.organization}`, `cloudlet=${site.name}`],
      ];
      const once = await mcctl(platform, home, ["appinst", "logs", ...key]).output();
      assert.equal(new TextDecoder().decode(once.stdout), "echo begins in northwind/munich\n");
      assert.equal(once.code, 0);
      const failed = await mcctl(platform, home, ["appinst", "run", ...key, "command=ls -l"]).output();
      assert.equal(failed.code, 1);
      assert.match(new TextDecoder().decode(failed.stderr), /there is no shell/);

      const child = mcctl(platform, home, ["appinst", "logs", ...key, "--follow"]);
      const errors = child.stderr.cancel();
      let text = "";
      const drained = (async () => {
        for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) text += part;
      })();
      await eventually("the line of before", () => text.includes("echo begins") || undefined);
      assert.equal(await outputs(platform), 1);
      child.kill("SIGINT");
      await Promise.all([child.status, drained, errors]);
      await eventually("the source to be stopped", async () => await outputs(platform) === 0 || undefined);
    });
  } finally {
    world.close();
    await Deno.remove(home, { recursive: true });
    assert.equal((await platform.stop()).code, 0);
  }
});
