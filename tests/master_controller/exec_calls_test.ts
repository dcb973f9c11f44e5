import assert from "node:assert/strict";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { ExecRequest } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { makeWorld } from "../../tiers/global/master-controller/testing/world.ts";
import { refused } from "./expect.ts";
import { startTestPostgres } from "./postgres.ts";
import { populate } from "./regional_world.ts";

const ABOUT = {
  execrequest: {
    app_inst_key: {
      app_key: { organization: "acme", name: "game", version: "1.0" },
      cluster_inst_key: { cloudlet_key: { organization: "oper", name: "berlin" } },
    },
    cmd: { command: "ls" },
  },
};
/** What the double says to those who have passed the door. */
const PASSED = "ot part of the double";

Deno.test("master controller: who may read logs, run commands and enter cloudlets", async () => {
  await using postgres = await startTestPostgres();
  const world = await makeWorld(postgres.url);
  const region = await new RegionDouble().start();
  const second = await new RegionDouble().start();
  try {
    const { call, ctrl, admin, dev, oper, eve } = await populate(world, region);
    const role = { org: "acme", username: "eve", role: "DeveloperViewer" };
    await refused(ctrl("StreamLogs", eve, ABOUT), 403, "Forbidden");
    assert.equal((await call("auth/role/adduser", role, dev)).status, 200);
    for (const rpc of ["StreamLogs", "ShowLogs"]) {
      for (const token of [eve, dev, admin]) await refused(ctrl(rpc, token, ABOUT), 400, PASSED);
      await refused(ctrl(rpc, oper, ABOUT), 403, "Forbidden");
    }
    for (const rpc of ["StreamCommand", "RunCommand", "RunConsole"]) {
      for (const token of [dev, admin]) await refused(ctrl(rpc, token, ABOUT), 400, PASSED);
      for (const token of [eve, oper]) await refused(ctrl(rpc, token, ABOUT), 403, "Forbidden");
    }
    for (const token of [dev, eve, oper]) await refused(ctrl("AccessCloudlet", token, ABOUT), 403, "Forbidden");
    await refused(ctrl("AccessCloudlet", admin, ABOUT), 400, PASSED);

    // Of several controllers the one that the site is connected to has something to say.
    const Address = `${region.address},${second.address}`;
    await call("auth/controller/create", { Region: "pair", Address }, admin);
    const fails = (code: Status, text: string) => () => {
      throw new RpcError(code, text);
    };
    const elsewhere = fails(Status.UNAVAILABLE, "no matching CRM");
    const reason = fails(Status.UNKNOWN, "the disk is on fire");
    for (const [first, other] of [[elsewhere, reason], [reason, elsewhere]] as const) {
      region.answers.set("RunCommand", first);
      second.answers.set("RunCommand", other);
      await refused(call("auth/ctrl/RunCommand", { region: "pair", ...ABOUT }, dev), 400, "he disk is on fire");
    }
    second.answers.set("RunCommand", function* () {
      yield ExecRequest.create({ accessUrl: "wss://turn.example/edgeshell?edgetoken=x" });
    });
    region.answers.set("RunCommand", elsewhere);
    const { status, json } = await call("auth/ctrl/RunCommand", { region: "pair", ...ABOUT }, dev);
    assert.deepEqual([status, json.access_url], [200, "wss://turn.example/edgeshell?edgetoken=x"]);
  } finally {
    await world.close();
    await Promise.all([region.stop(), second.stop()]);
  }
});
