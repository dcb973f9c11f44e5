import assert from "node:assert/strict";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { App, Cloudlet, CloudletInfo, Flavor, Node } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { makeWorld, readAnswer } from "../../tiers/global/master-controller/testing/world.ts";
import { refused } from "./expect.ts";
import { checkCatalog, checkExceptions, checkGpuDrivers } from "./regional_catalog.ts";
import { APP, CLOUDLET, populate, type RegionalWorld } from "./regional_world.ts";
import { startTestPostgres } from "./postgres.ts";

const CHECKS: readonly (readonly [string, (world: RegionalWorld) => Promise<void>])[] = [
  ["a call reaches the region with user and trace, and its answer the caller", checkPassing],
  ["the wrapper: region, key in any case, unknown keys, all faults of the object", checkWrapper],
  ["who may change what", checkChangeAuthorization],
  ["creation wants an organization that exists, fits and stays", checkRequiresOrg],
  ["shows are filtered to what the caller may see", checkShows],
  ["shows in pages count what the caller sees", checkPages],
  ["a dry run is passed on, where something would change", checkDryRun],
  ["what each controller must answer for itself is asked of all", checkEachController],
  ["cloudlets: others see a reduced form", checkCloudlets],
  ["cloudlets: platform types and alliances", checkCloudletRules],
  ["app instances: app and cluster organization must match", checkAppInst],
  ["objects of the catalog: each resource is somebody's to manage", checkCatalog],
  ["trust policy exceptions: developers ask, operators decide, both see", checkExceptions],
  ["GPU drivers: those that nobody owns are for every operator", checkGpuDrivers],
  ["updates change the fields that the caller named", checkUpdateMask],
  ["progress is streamed; an error after it is the last document", checkStreaming],
  ["errors of a region become 400 with the status text alone", checkRegionErrors],
  ["a client that leaves ends the call to the region", checkLeaving],
  ["calls that the schema does not offer do not exist", checkUnknown],
  ["the OpenAPI page describes what is there", checkOpenApi],
];

Deno.test("master controller: regional calls", async (test) => {
  await using postgres = await startTestPostgres();
  for (const [name, check] of CHECKS) {
    await test.step(name, async () => {
      await postgres.reset();
      const world = await makeWorld(postgres.url);
      const region = await new RegionDouble().start();
      try {
        await check(await populate(world, region));
      } finally {
        await world.close();
        await region.stop();
      }
    });
  }
});

function appInst(clusterOrganization = ""): { appinst: object } {
  const cluster_inst_key = {
    cluster_key: { name: "defaultclust" },
    cloudlet_key: CLOUDLET.key,
    organization: clusterOrganization,
  };
  return { appinst: { key: { app_key: APP.key, cluster_inst_key } } };
}

async function checkPassing({ call, ctrl, region, admin, dev }: RegionalWorld): Promise<void> {
  const flavor = { key: { name: "small" }, ram: 1024, vcpus: 1, disk: 2 };
  const made = await ctrl("CreateFlavor", admin, { flavor });
  assert.deepEqual([made.status, made.json], [200, { message: "Create done" }]);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const shown = await call("auth/ctrl/ShowFlavor", { region: "local" }, dev, { traceparent });
  assert.deepEqual(shown.lines, [{ data: flavor }]);
  const seen = region.calls.at(-1)!;
  assert.equal(seen.user, "dev");
  assert.equal(String(seen.traceparent).split("-")[1], "0af7651916cd43dd8448eb211c80319c");
  assert.deepEqual((region.calls[0]!.request as Flavor).ram, 1024);
}

async function checkWrapper({ call, ctrl, admin, region }: RegionalWorld): Promise<void> {
  await refused(call("auth/ctrl/ShowFlavor", {}, admin), 400, /^No region specified$/);
  await refused(call("auth/ctrl/ShowFlavor", { region: "mars" }, admin), 400, /^Region "mars" not found$/);
  await refused(call("auth/ctrl/ShowFlavor", "", admin), 400, "Request body can't be empty");
  await refused(call("auth/ctrl/ShowFlavor", { region: 5 }, admin), 400, "must be a string");
  await refused(ctrl("ShowFlavor", admin, { app: {} }), 400, "field app is not known, expected region and flavor");
  const upper = { Region: "local", Flavor: { Key: { NAME: "small" }, Ram: 1, VCPUS: 1, disk: 1 } };
  assert.equal((await call("auth/ctrl/CreateFlavor", upper, admin)).status, 200);
  const wrong = { key: { name: 7 }, colour: "red", ram: "much", vcpus: 1 };
  const { status, json } = await ctrl("CreateFlavor", admin, { flavor: wrong });
  assert.equal(status, 400);
  assert.match(json.message, /^Invalid JSON data: Unmarshal error/);
  for (const part of ["flavor.key.name", "flavor.colour", "flavor.ram"]) {
    assert.ok(json.message.includes(part), json.message);
  }
  const text = '{"region":"local","cloudlet":{"platform_type":"Moon"}}';
  const wrongEnum = await call("auth/ctrl/ShowCloudlet", text, admin);
  assert.match(wrongEnum.json.message, /platform_type.*Openstack/);
  assert.ok(wrongEnum.json.message.includes(`offset ${text.indexOf('"Moon"')}`), wrongEnum.json.message);
  assert.equal(region.list("Flavor").length, 1);
}

async function checkChangeAuthorization(world: RegionalWorld): Promise<void> {
  const { call, ctrl, region, admin, dev, oper, eve, user } = world;
  const flavor = { flavor: { key: { name: "small" }, ram: 1, vcpus: 1, disk: 1 } };
  for (const token of [dev, oper, eve]) await refused(ctrl("CreateFlavor", token, flavor), 403, /^Forbidden$/);
  for (const token of [oper, eve]) await refused(ctrl("CreateApp", token, { app: APP }), 403, "Forbidden");
  for (const token of [dev, eve]) {
    await refused(ctrl("CreateCloudlet", token, { cloudlet: CLOUDLET }), 403, "Forbidden");
  }
  assert.equal((await ctrl("CreateApp", dev, { app: APP })).status, 200);
  assert.equal((await ctrl("CreateCloudlet", oper, { cloudlet: CLOUDLET })).status, 200);
  const viewer = await user("viewer");
  await call("auth/role/adduser", { org: "acme", username: "viewer", role: "DeveloperViewer" }, dev);
  await refused(ctrl("DeleteApp", viewer, { app: APP }), 403, "Forbidden");
  assert.equal((await ctrl("ShowApp", viewer)).lines.length, 1);
  await call("auth/role/removeuser", { org: "acme", username: "viewer", role: "DeveloperViewer" }, dev);
  await refused(ctrl("ShowApp", viewer), 403, "Forbidden");
  assert.equal((await ctrl("DeleteApp", admin, { app: APP })).status, 200);
  await refused(call("auth/ctrl/ShowApp", { region: "local" }), 400, "No bearer token found");
  assert.deepEqual(region.list("App"), []);
}

async function checkRequiresOrg({ call, core, ctrl, region, admin, dev }: RegionalWorld): Promise<void> {
  const app = (organization: string) => ({ app: { ...APP, key: { ...APP.key, organization } } });
  await refused(ctrl("CreateApp", dev, app("nowhere")), 403, "Forbidden");
  await refused(ctrl("CreateApp", admin, app("nowhere")), 400, "Org nowhere not found");
  await refused(ctrl("CreateApp", admin, app("oper")), 400, "only allowed for orgs of type developer");
  await refused(
    ctrl("CreateCloudlet", admin, { cloudlet: { ...CLOUDLET, key: { organization: "acme", name: "c" } } }),
    400,
    "only allowed for orgs of type operator",
  );
  assert.equal((await ctrl("CreateApp", dev, app("ACME"))).status, 200);
  assert.equal((region.list("App")[0] as App).key.organization, "acme", "the stored spelling is used");
  await core.database.execute`update organizations set delete_in_progress = true where name = 'acme'`;
  await refused(ctrl("CreateApp", dev, app("acme")), 400, /acme.*delete in progress/);
  await refused(call("auth/org/delete", { Name: "acme" }, dev), 400, "Org already being deleted");
}

async function checkShows({ call, ctrl, region, admin, dev, oper, eve, user }: RegionalWorld): Promise<void> {
  const other = await user("other");
  await call("auth/org/create", { Name: "rival", Type: "developer" }, other);
  region.put("App", App.create({ key: { organization: "acme", name: "a", version: "1" } }));
  region.put("App", App.create({ key: { organization: "rival", name: "b", version: "1" } }));
  const names = async (token: string, app: object = {}) =>
    (await ctrl("ShowApp", token, { app })).lines.map((line) => line.data.key.name).sort();
  assert.deepEqual(await names(admin), ["a", "b"]);
  assert.deepEqual(await names(dev), ["a"]);
  assert.deepEqual(await names(other), ["b"]);
  assert.deepEqual(await names(dev, { key: { organization: "acme" } }), ["a"]);
  assert.deepEqual(await names(dev, { key: { name: "zzz" } }), []);
  await refused(ctrl("ShowApp", dev, { app: { key: { organization: "rival" } } }), 403, "Forbidden");
  await refused(ctrl("ShowApp", eve), 403, "Forbidden");
  await refused(ctrl("ShowApp", oper), 403, "Forbidden");
  const empty = await ctrl("ShowApp", dev, { app: { key: { name: "zzz" } } });
  assert.deepEqual([empty.status, empty.text], [200, ""]);
  region.put("CloudletInfo", CloudletInfo.create({ key: { organization: "oper", name: "berlin" } }));
  assert.equal((await ctrl("ShowCloudletInfo", oper)).lines.length, 1);
  await refused(ctrl("ShowCloudletInfo", dev), 403, "Forbidden");
}

async function checkPages({ call, ctrl, region, admin, dev, user }: RegionalWorld): Promise<void> {
  await call("auth/org/create", { Name: "rival", Type: "developer" }, await user("other"));
  for (const organization of ["acme", "rival"]) {
    for (const name of ["a", "b", "c"]) region.put("App", App.create({ key: { organization, name, version: "1" } }));
  }
  async function pages(token: string, limit: number): Promise<string[][]> {
    const found: string[][] = [];
    for (let next: string | undefined = "";;) {
      const { lines } = await ctrl("ShowApp", token, { app: {}, limit, continue: next });
      next = lines.at(-1)?.continue;
      const shown = lines.filter((line) => line.data !== undefined).map(({ data }) => data.key.name);
      assert.equal(lines.length, shown.length + (next === undefined ? 0 : 1));
      found.push(shown);
      if (next === undefined) return found;
    }
  }
  assert.deepEqual(await pages(dev, 2), [["a", "b"], ["c"]]);
  assert.deepEqual(await pages(dev, 3), [["a", "b", "c"]]);
  assert.deepEqual(await pages(admin, 4), [["a", "b", "c", "a"], ["b", "c"]]);
  for (const limit of [0, -1, 1.5, "2", 10_001]) {
    await refused(ctrl("ShowApp", dev, { app: {}, limit }), 400, /limit must be a number from 1 to 10000/);
  }
  await refused(ctrl("DeleteApp", dev, { app: APP, limit: 1 }), 400, /limit is not known/);
}

async function checkDryRun({ ctrl, region, dev }: RegionalWorld): Promise<void> {
  assert.equal((await ctrl("CreateApp", dev, { app: APP, dryrun: true })).status, 200);
  assert.equal(region.calls.at(-1)!.dryRun, "true");
  await ctrl("DeleteApp", dev, { app: APP });
  assert.equal(region.calls.at(-1)!.dryRun, undefined);
  await refused(ctrl("CreateApp", dev, { app: APP, dryrun: "yes" }), 400, /dryrun must be a boolean/);
  await refused(ctrl("ShowApp", dev, { app: {}, dryrun: true }), 400, /dryrun is not known/);
}

async function checkCloudlets({ call, ctrl, region, admin, dev, oper, eve, user }: RegionalWorld): Promise<void> {
  assert.equal((await ctrl("CreateCloudlet", oper, { cloudlet: CLOUDLET })).status, 200);
  const rival = await user("rival-user");
  await call("auth/org/create", { Name: "rival", Type: "operator" }, rival);
  region.put("Cloudlet", Cloudlet.create({ key: { organization: "rival", name: "bonn" }, envVar: { SECRET: "1" } }));
  const shown = async (token: string, cloudlet: object = {}) =>
    (await ctrl("ShowCloudlet", token, { cloudlet })).lines.map((line) => line.data);
  assert.equal((await shown(admin)).length, 2);
  const own = await shown(oper);
  assert.deepEqual(own.map((cloudlet) => [cloudlet.key.name, cloudlet.env_var]), [["berlin", CLOUDLET.env_var]]);
  const reduced = await shown(dev);
  assert.deepEqual(reduced.map((cloudlet) => cloudlet.key.name).sort(), ["berlin", "bonn"]);
  for (const cloudlet of reduced) assert.equal(cloudlet.env_var, undefined);
  assert.deepEqual(reduced.find((cloudlet) => cloudlet.key.name === "berlin"), {
    key: CLOUDLET.key,
    location: CLOUDLET.location,
    num_dynamic_ips: 5,
    platform_type: "Process",
  });
  assert.equal((await shown(dev, { key: { organization: "oper" } })).length, 1);
  await refused(ctrl("ShowCloudlet", oper, { cloudlet: { key: { organization: "rival" } } }), 403, "Forbidden");
  await refused(ctrl("ShowCloudlet", eve), 403, "Forbidden");
}

async function checkCloudletRules({ call, ctrl, admin, oper }: RegionalWorld): Promise<void> {
  await call("auth/org/create", { Name: "boxes", Type: "operator" }, oper);
  const boxed = { cloudlet: { ...CLOUDLET, key: { organization: "boxes", name: "b" } } };
  await refused(ctrl("CreateCloudlet", oper, boxed), 400, /boxes can only create EDGEBOX cloudlet/);
  assert.equal(
    (await ctrl("CreateCloudlet", oper, { cloudlet: { ...boxed.cloudlet, platform_type: "Edgebox" } })).status,
    200,
  );
  await call("auth/restricted/org/update", { Name: "boxes", EdgeboxOnly: false }, admin);
  await ctrl("DeleteCloudlet", oper, boxed);
  assert.equal((await ctrl("CreateCloudlet", oper, boxed)).status, 200);
  for (const name of ["nowhere", "acme", "BOXES"]) {
    const allied = { cloudlet: { ...CLOUDLET, alliance_orgs: [name] } };
    await refused(ctrl("CreateCloudlet", oper, allied), 400, `Alliance org ${name} not found`);
  }
  assert.equal(
    (await ctrl("CreateCloudlet", oper, { cloudlet: { ...CLOUDLET, alliance_orgs: ["boxes"] } })).status,
    200,
  );
  const update = { cloudlet: { key: CLOUDLET.key, alliance_orgs: ["nowhere"] } };
  await refused(ctrl("UpdateCloudlet", oper, update), 400, "Alliance org nowhere not found");
}

async function checkAppInst({ call, ctrl, region, admin, dev }: RegionalWorld): Promise<void> {
  await call("auth/org/create", { Name: "second", Type: "developer" }, dev);
  await refused(ctrl("CreateAppInst", dev, appInst("second")), 403, "Forbidden");
  for (const organization of ["", "acme", "edgecloudorg"]) {
    const made = await ctrl("CreateAppInst", dev, appInst(organization));
    assert.deepEqual(made.lines.map((line) => line.data.message), ["Create under way", "Create done"]);
  }
  const forced = (crm_override: unknown) => ({ appinst: { ...appInst("acme").appinst, crm_override } });
  const denied = "Only administrators may give crm_override";
  await refused(ctrl("DeleteAppInst", dev, forced("IgnoreCrm")), 403, denied);
  await refused(ctrl("CreateAppInst", dev, forced(3)), 403, denied);
  assert.equal((await ctrl("DeleteAppInst", dev, forced("NoOverride"))).status, 200);
  assert.equal((await ctrl("CreateAppInst", admin, forced("IgnoreCrm"))).status, 200);
  assert.equal(region.list("AppInst").length, 3);
  assert.equal((await ctrl("ShowAppInst", dev)).lines.length, 3);
}

async function checkUpdateMask({ ctrl, region, dev }: RegionalWorld): Promise<void> {
  await ctrl("CreateApp", dev, { app: { ...APP, access_ports: "tcp:80", command: "run" } });
  const updated = await ctrl("UpdateApp", dev, { app: { key: APP.key, command: "" } });
  assert.equal(updated.json.message, "Update done");
  const sent = region.calls.at(-1)!.request as App;
  assert.ok(sent.fields.includes("13"), sent.fields.join());
  assert.ok(!sent.fields.includes("7"), sent.fields.join());
  const [app] = region.list("App") as App[];
  assert.deepEqual([app!.accessPorts, app!.command], ["tcp:80", ""]);
  await ctrl("UpdateApp", dev, { app: { key: APP.key, access_ports: "tcp:81", command: "x", fields: ["7"] } });
  assert.deepEqual([app!.accessPorts, app!.command], ["tcp:81", ""]);
  await refused(ctrl("UpdateApp", dev, { app: { key: APP.key, fields: ["999"] } }), 400, "fields");
}

async function checkStreaming({ ctrl, region, dev, records }: RegionalWorld): Promise<void> {
  region.failures.set("CreateAppInst", { after: 1, error: new RpcError(Status.INTERNAL, "no room on the site") });
  const { status, lines } = await ctrl("CreateAppInst", dev, appInst());
  assert.equal(status, 200);
  assert.deepEqual(lines, [
    { data: { message: "Create under way" } },
    { result: { message: "No room on the site", code: 400 } },
  ]);
  const audit = records.filter((record) => record.message === "audit").at(-1)!;
  assert.deepEqual([audit.path, audit.status, audit.error, audit.region, audit.org], [
    "/api/v1/auth/ctrl/CreateAppInst",
    400,
    "no room on the site",
    "local",
    "acme",
  ]);
}

async function checkRegionErrors({ ctrl, region, admin }: RegionalWorld): Promise<void> {
  const fail = (error: RpcError) => region.failures.set("ShowFlavor", { after: 0, error });
  fail(new RpcError(Status.FAILED_PRECONDITION, "flavor is in use"));
  await refused(ctrl("ShowFlavor", admin), 400, /^Flavor is in use$/);
  fail(new RpcError(Status.UNAUTHENTICATED, "who are you"));
  await refused(ctrl("ShowFlavor", admin), 400, /^Who are you$/);
  await refused(ctrl("DeleteFlavor", admin, { flavor: { key: { name: "small" } } }), 400, "not found");
  await region.stop();
  await refused(ctrl("ShowFlavor", admin), 400, "Region local is unavailable");
}

async function checkLeaving({ handler, region, admin }: RegionalWorld): Promise<void> {
  region.put("Flavor", Flavor.create({ key: { name: "small" }, ram: 1 }));
  region.holding.add("ShowFlavor");
  const request = new Request("https://localhost/api/v1/auth/ctrl/ShowFlavor", {
    method: "POST",
    body: '{"region":"local"}',
    headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
  });
  const response = await handler(request, "192.0.2.1");
  const reader = response.body!.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /small/);
  assert.deepEqual(region.ended, []);
  await reader.cancel();
  const deadline = performance.now() + 30_000;
  while (region.ended.length === 0) {
    assert.ok(performance.now() < deadline, "the call to the region goes on");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function checkUnknown({ ctrl, admin }: RegionalWorld): Promise<void> {
  for (const rpc of ["CreateNothing", "ShowAppInstInfo", "createapp", "__proto__"]) {
    assert.equal((await ctrl(rpc, admin)).status, 404, rpc);
  }
}

async function checkOpenApi({ handler }: RegionalWorld): Promise<void> {
  const response = await handler(new Request("https://localhost/api/v1/openapi.json"), "192.0.2.1");
  const { json } = await readAnswer(response);
  assert.equal(json.openapi, "3.1.0");
  const create = json.paths["/api/v1/auth/ctrl/CreateApp"].post;
  const { properties } = create.requestBody.content["application/json"].schema;
  assert.deepEqual(properties.app, { $ref: "#/components/schemas/archipelago.App" });
  assert.equal(json.components.schemas["archipelago.AppInst"].properties.state.readOnly, true);
  assert.ok(json.components.schemas["archipelago.Cloudlet"].properties.platform_type.enum.includes("Process"));
  assert.ok(json.paths["/api/v1/login"].post.security === undefined);
  // Every reference leads somewhere.
  for (const [, name] of JSON.stringify(json).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(json.components.schemas[name!] !== undefined, `${name}`);
  }
}

async function checkEachController({ call, admin, dev }: RegionalWorld): Promise<void> {
  const controllers = [await new RegionDouble().start(), await new RegionDouble().start()] as const;
  try {
    controllers.forEach((each, index) =>
      each.put("Node", Node.create({ key: { name: `n${index}`, type: "controller" } }))
    );
    const Address = controllers.map(({ address }) => address).join(",");
    await call("auth/controller/create", { Region: "pair", Address }, admin);
    const shown = await call("auth/ctrl/ShowNode", { region: "pair" }, admin);
    assert.deepEqual(shown.lines.map(({ data }) => data.key.name).sort(), ["n0", "n1"]);
    await refused(call("auth/ctrl/ShowNode", { region: "pair" }, dev), 403, "Forbidden");
    await refused(call("auth/ctrl/ShowNode", { region: "pair", limit: 1 }, admin), 400, "limit is not known");
    // One that fails does not take the answers of the other with it.
    controllers[0].failures.set("ShowNode", { after: 0, error: new RpcError(Status.INTERNAL, "lost") });
    const partly = await call("auth/ctrl/ShowNode", { region: "pair" }, admin);
    assert.deepEqual(partly.lines.map(({ data, result }) => data?.key.name ?? result.message), ["n1", "Lost"]);
  } finally {
    await Promise.all(controllers.map((each) => each.stop()));
  }
}
