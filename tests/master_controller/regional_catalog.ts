import assert from "node:assert/strict";
import { Settings, type TrustPolicyException } from "../../shared/schema/mod.ts";
import { refused } from "./expect.ts";
import { APP, CLOUDLET, type RegionalWorld } from "./regional_world.ts";

/** Who may make objects of the catalog. */
export async function checkCatalog({ ctrl, region, admin, dev, oper, eve }: RegionalWorld): Promise<void> {
  const policy = { key: { organization: "acme", name: "p" } };
  const pool = { key: { organization: "oper", name: "p" } };
  const network = { key: { cloudlet_key: CLOUDLET.key, name: "video" } };
  const limit = { key: { flow_settings_name: "x", rate_limit_key: { api_name: "Global" } } };
  const rows: [rpc: string, content: object, allowed: string, refusedTo: string[]][] = [
    ["CreateAutoProvPolicy", { autoprovpolicy: policy }, dev, [oper, eve]],
    ["CreateAutoScalePolicy", { autoscalepolicy: policy }, dev, [oper, eve]],
    ["CreateAlertPolicy", { alertpolicy: policy }, dev, [oper, eve]],
    ["CreateCloudletPool", { cloudletpool: pool }, oper, [dev, eve]],
    ["CreateTrustPolicy", { trustpolicy: pool }, oper, [dev, eve]],
    ["CreateResTagTable", { restagtable: pool }, oper, [dev, eve]],
    ["CreateNetwork", { network }, oper, [dev, eve]],
    ["CreateOperatorCode", { operatorcode: { code: "26201", organization: "oper" } }, oper, [dev, eve]],
    ["CreateFlowRateLimitSettings", { flowratelimitsettings: limit }, admin, [dev, oper, eve]],
    ["UpdateSettings", { settings: { master_node_flavor: "small" } }, admin, [dev, oper, eve]],
  ];
  region.put("Settings", Settings.create());
  for (const [rpc, content, allowed, others] of rows) {
    for (const token of others) await refused(ctrl(rpc, token, content), 403, /^Forbidden$/);
    const { status, json } = await ctrl(rpc, allowed, content);
    assert.equal(status, 200, `${rpc}: ${json?.message}`);
  }
  const wrongType = { autoprovpolicy: { key: { organization: "oper", name: "p" } } };
  await refused(ctrl("CreateAutoProvPolicy", admin, wrongType), 400, "only allowed for orgs of type developer");
  assert.equal((await ctrl("ShowOperatorCode", oper)).lines.length, 1);
  await refused(ctrl("ShowFlowRateLimitSettings", oper), 403, "Forbidden");
  // Who may view settings gets the one object, not a stream.
  const shown = await ctrl("ShowSettings", admin);
  assert.equal(shown.status, 200);
  assert.equal(shown.json.master_node_flavor, "small");
  await refused(ctrl("ShowSettings", dev), 403, "Forbidden");
  assert.equal((await ctrl("OrganizationInUse", admin, { organization: { name: "acme" } })).status, 404);
}

/** Who asks for exceptions of trust policies, who decides, and who sees them. */
export async function checkExceptions(world: RegionalWorld): Promise<void> {
  const { call, ctrl, region, admin, dev, oper, eve, user } = world;
  const key = { app_key: APP.key, cloudlet_pool_key: { organization: "oper", name: "pool" }, name: "web" };
  const rule = { protocol: "TCP", port_range_min: 443, port_range_max: 443, remote_cidr: "8.8.0.0/16" };
  const ask = { trustpolicyexception: { key, outbound_security_rules: [rule] } };
  await refused(ctrl("CreateTrustPolicyException", oper, ask), 403, "Forbidden");
  assert.equal((await ctrl("CreateTrustPolicyException", dev, ask)).status, 200);

  const decide = { trustpolicyexception: { key, state: "Active" } };
  const both = { trustpolicyexception: { ...ask.trustpolicyexception, state: "Active" } };
  const update = (token: string, content: object) => ctrl("UpdateTrustPolicyException", token, content);
  await refused(update(dev, decide), 400, "not allowed to update state");
  await refused(update(oper, ask), 400, "only state field");
  await refused(update(oper, both), 400, "only state field");
  await refused(update(eve, decide), 403, "Forbidden");
  assert.equal((await update(dev, ask)).status, 200);
  assert.equal((await update(oper, decide)).status, 200);
  assert.equal((await update(admin, both)).status, 200);
  assert.deepEqual((region.calls.at(-2)!.request as TrustPolicyException).fields.at(-1), "3");

  const third = await user("rival");
  for (const token of [dev, oper, admin]) assert.equal((await ctrl("ShowTrustPolicyException", token)).lines.length, 1);
  await refused(ctrl("ShowTrustPolicyException", eve), 403, "Forbidden");
  await call("auth/org/create", { Name: "third", Type: "operator" }, third);
  assert.equal((await ctrl("ShowTrustPolicyException", third)).lines.length, 0);
}

/** Whose GPU drivers are, and who sees them. */
export async function checkGpuDrivers({ ctrl, admin, dev, oper, eve, user, call }: RegionalWorld): Promise<void> {
  const driver = (organization: string) => ({ gpudriver: { key: { name: "nvidia", organization } } });
  await refused(ctrl("CreateGPUDriver", oper, driver("")), 403, "Forbidden");
  for (const token of [dev, eve]) await refused(ctrl("CreateGPUDriver", token, driver("oper")), 403, "Forbidden");
  await refused(ctrl("CreateGPUDriver", admin, driver("acme")), 400, "only allowed for orgs of type operator");
  assert.equal((await ctrl("CreateGPUDriver", admin, driver(""))).status, 200);
  assert.equal((await ctrl("CreateGPUDriver", oper, driver("oper"))).status, 200);
  assert.equal((await ctrl("ShowGPUDriver", oper)).lines.length, 2);
  const other = await user("other-operator");
  await call("auth/org/create", { Name: "third", Type: "operator" }, other);
  const seen = await ctrl("ShowGPUDriver", other);
  assert.deepEqual(seen.lines.map((line) => line.data.key), [{ name: "nvidia" }]);
  await refused(ctrl("ShowGPUDriver", eve), 403, "Forbidden");
  // The double has no files, so what passes the door is told that.
  const build = (organization: string) => ({ gpudriverbuildmember: { key: { name: "nvidia", organization } } });
  await refused(ctrl("GetGPUDriverBuildURL", other, build("")), 400, "ot part of the double");
  await refused(ctrl("GetGPUDriverBuildURL", other, build("oper")), 403, "Forbidden");
  await refused(ctrl("GetGPUDriverBuildURL", oper, build("oper")), 400, "ot part of the double");
  await refused(ctrl("GetGPUDriverBuildURL", dev, build("")), 403, "Forbidden");
}
