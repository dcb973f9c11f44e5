import assert from "node:assert/strict";
import { parse } from "yaml";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { ADMIN_PASSWORD, makeWorld, USER_PASSWORD } from "../../tiers/global/master-controller/testing/world.ts";
import { allCommands, commandName } from "../../tools/mcctl/commands.ts";
import { startTestPostgres } from "../master_controller/postgres.ts";
import { type Outcome, person } from "./person.ts";

Deno.test("mcctl against the master controller", async (test) => {
  await using postgres = await startTestPostgres();
  const world = await makeWorld(postgres.url);
  const region = await new RegionDouble().start();
  const admin = person(world);
  const dev = person(world);
  const well = async (outcome: Promise<Outcome>): Promise<string> => {
    const { code, out, error } = await outcome;
    assert.equal(code, 0, error);
    assert.equal(error, "");
    return out;
  };
  const refused = async (outcome: Promise<Outcome>, expected: RegExp): Promise<void> => {
    const { code, error } = await outcome;
    assert.equal(code, 1);
    assert.match(error, expected);
  };

  try {
    await test.step("accounts: without a login, with a wrong and with the right password", async () => {
      await refused(admin("controller show"), /No bearer token found\nLog in first: mcctl login/);
      await refused(admin("login name=mexadmin", "wrong-password"), /Invalid username or password/);
      world.clock.advance(10_000);
      assert.match(await well(admin("login name=mexadmin", ADMIN_PASSWORD)), /login successful/);
      assert.equal(parse(await well(admin("user current")))["Name"], "mexadmin");
    });

    await test.step("the region is registered", async () => {
      assert.match(
        await well(admin(`controller create region=local address=${region.address}`)),
        /Controller registered/,
      );
      assert.equal(parse(await well(admin("controller show")))[0]["Region"], "local");
    });

    await test.step("a user, an organization and a role", async () => {
      await well(dev("user create name=dev email=dev@example.com", USER_PASSWORD, USER_PASSWORD));
      await well(dev("user create name=eve email=eve@example.com", USER_PASSWORD, USER_PASSWORD));
      await well(dev("login name=dev", USER_PASSWORD));
      assert.match(await well(dev("org create name=acme type=developer")), /Organization created/);
      assert.match(await well(dev("role add org=acme username=eve role=DeveloperViewer")), /Role added to user/);
      assert.match(await well(dev("role show org=acme --output table")), /eve +DeveloperViewer|DeveloperViewer.* eve/);
      await well(dev("role remove org=acme name=eve role=DeveloperViewer"));
      assert.ok((parse(await well(dev("role names"))) as string[]).includes("DeveloperManager"));
      assert.match(await well(dev("user update nickname=d")), /User updated/);
      await well(dev("role assignment"));
      await well(dev("role perms role=DeveloperViewer resource=apps"));
    });

    await test.step("objects of the region", async () => {
      await well(admin("flavor create region=local name=x1 ram=1024 vcpus=1 disk=4"));
      assert.deepEqual(parse(await well(dev("flavor show region=local"))), [
        { key: { name: "x1" }, ram: 1024, vcpus: 1, disk: 4 },
      ]);
      await well(dev("app create region=local apporg=acme appname=game appvers=1.0 defaultflavor=x1 imagetype=docker"));
      await well(dev("app update region=local apporg=acme appname=game appvers=1.0 accessports=tcp:80"));
      const apps = await well(dev("app show region=local apporg=acme --output json"));
      assert.deepEqual(JSON.parse(apps), [{
        key: { organization: "acme", name: "game", version: "1.0" },
        image_type: "Docker",
        access_ports: "tcp:80",
        default_flavor: { name: "x1" },
      }]);
      assert.match(await well(dev("app show region=local --output table")), /^APPORG +APPNAME +APPVERS/);
      await well(dev("app delete region=local apporg=acme appname=game appvers=1.0"));
      assert.equal(await well(dev("app show region=local")), "");
    });

    await test.step("pages", async () => {
      for (const name of ["p1", "p2", "p3"]) {
        await well(admin(`flavor create region=local name=${name} ram=1 vcpus=1 disk=1`));
      }
      let more = "";
      const names: string[] = [];
      for (let page = 0; page < 10; page++) {
        const { code, out, error } = await admin(`flavor show region=local --limit 2${more}`);
        assert.equal(code, 0, error);
        names.push(...parse(out).map(({ key }: { key: { name: string } }) => key.name));
        if (error === "") break;
        more = /--limit 2( --continue \S+)/.exec(error)![1]!;
      }
      assert.ok(names.length > 2);
      assert.deepEqual(names, [...new Set(names)].sort());
      await refused(admin("flavor show region=local --limit 0"), /--limit must be from 1 to 10000/);
      await refused(
        admin("flavor create region=local name=x ram=1 vcpus=1 disk=1 --limit 1"),
        /--limit and --continue/,
      );
    });

    await test.step("refusals say what to do", async () => {
      await refused(dev("flavor delete region=local name=x1"), /Forbidden.*\nYour roles: mcctl role assignment/);
      await refused(dev("flavor show region=moon"), /Region "moon" not found\nName a region/);
      await refused(dev("user newpass", "wrong", "new-password", "new-password"), /Invalid current password/);
    });

    await test.step("settings", async () => {
      assert.equal(parse(await well(admin("config show")))["UserLoginTokenValidDuration"], "24h0m0s");
      await well(admin("config update userlogintokenvalidduration=12h failedloginlockoutthreshold1=4"));
      const config = parse(await well(admin("config show")));
      assert.deepEqual([config["UserLoginTokenValidDuration"], config["FailedLoginLockoutThreshold1"]], ["12h0m0s", 4]);
      await well(admin("config reset"));
      await well(admin("config public"));
      await well(admin("config version"));
    });

    await test.step("administration of others, and what is deleted is gone", async () => {
      await well(admin("restrictedupdateuser name=eve locked=true"));
      assert.equal(parse(await well(admin("user show name=eve")))[0]["Locked"], true);
      await well(admin("user delete name=eve"));
      await well(admin("org update name=acme phone=1234"));
      await well(admin("restrictedupdateorg name=acme edgeboxonly=true"));
      assert.equal(parse(await well(admin("org show name=acme")))[0]["Phone"], "1234");
      await well(admin("org delete name=acme"));
      await well(admin("controller delete region=local"));
    });

    await test.step("every command has a route: none is answered with 404", async () => {
      const token = await world.login("mexadmin", ADMIN_PASSWORD);
      assert.equal((await world.call("auth/user/nothing", {}, token)).status, 404);
      for (const command of allCommands()) {
        const answer = await world.call(command.path, {}, token);
        assert.notEqual(answer.status, 404, commandName(command));
      }
    });
  } finally {
    await world.close();
    await region.stop();
  }
});
