import assert from "node:assert/strict";
import { identifier } from "../../shared/database/mod.ts";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { App } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { ADMIN_PASSWORD, makeWorld, type World } from "../../tiers/global/master-controller/testing/world.ts";
import { refused } from "./expect.ts";
import { startTestPostgres } from "./postgres.ts";

const CHECKS: readonly (readonly [string, (world: World, databaseUrl: string) => Promise<void>])[] = [
  ["making organizations", checkCreate],
  ["changing and seeing organizations", checkUpdate],
  ["deleting organizations asks every region", checkDelete],
  ["giving and taking roles", checkRoles],
  ["two managers cannot remove each other at the same time", checkManagersRace],
  ["permission comes before any look-up", checkNoProbing],
  ["seeing roles", checkShowRoles],
  ["registering regions", checkRegions],
  ["a region registered elsewhere is known here", checkRegionNotice],
  ["two master controllers start on an empty database", checkTwoStart],
];

Deno.test("master controller: organizations, roles and regions", async (test) => {
  await using postgres = await startTestPostgres();
  for (const [name, check] of CHECKS) {
    await test.step(name, async () => {
      await postgres.reset();
      const world = await makeWorld(postgres.url);
      try {
        await check(world, postgres.url);
      } finally {
        await world.close();
      }
    });
  }
});

async function checkCreate({ call, login, user }: World): Promise<void> {
  const token = await user("ann");
  const create = (body: object, by = token) => call("auth/org/create", body, by);
  await refused(create({ Type: "developer" }), 400, "Name not specified");
  await refused(create({ Name: "a b", Type: "developer" }), 400, "Invalid characters in");
  await refused(create({ Name: "acme", Type: "bank" }), 400, "Organization type must be");
  await refused(create({ Name: "acme", Type: "developer", EdgeboxOnly: true }), 400, "Cannot change EdgeboxOnly");
  await refused(create({ Name: "EdgeCloudOrg", Type: "developer" }), 400, "Not authorized");
  await refused(create({ Name: "Ann", Type: "developer" }), 400, /^Org name cannot be same as user name$/);
  assert.equal(
    (await create({ name: "Acme", type: "developer", PublicImages: true })).json.message,
    "Organization created",
  );
  await refused(create({ Name: "acme", Type: "operator" }), 400, "(case-insensitive) already exists");
  await create({ Name: "oper", Type: "operator", Address: "Main Street 1" });
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  assert.equal((await create({ Name: "edgecloudorg", Type: "developer" }, admin)).status, 200);
  const rows = (await call("auth/org/show", undefined, token)).json;
  assert.deepEqual(
    rows.map((row: Record<string, unknown>) => [row.Name, row.Type, row.EdgeboxOnly, row.PublicImages]),
    [
      ["Acme", "developer", false, true],
      ["oper", "operator", true, false],
    ],
  );
  assert.deepEqual((await call("auth/role/assignment/show", undefined, token)).json, [
    { org: "Acme", username: "ann", role: "DeveloperManager" },
    { org: "oper", username: "ann", role: "OperatorManager" },
  ]);
}

async function checkUpdate({ call, login, user }: World): Promise<void> {
  const [ann, bob] = [await user("ann"), await user("bob")];
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  await call("auth/org/create", { Name: "acme", Type: "developer", Phone: "1" }, ann);
  const update = (body: object, by = ann) => call("auth/org/update", body, by);
  await refused(update({ Name: "acme", Phone: "2" }, bob), 403, /^Forbidden$/);
  await refused(update({ Name: "nowhere", Phone: "2" }, bob), 403, /^Forbidden$/);
  await refused(update({ Name: "nowhere", Phone: "2" }, admin), 400, "Organization not found");
  for (
    const [field, value] of Object.entries({ Type: "operator", EdgeboxOnly: true, Parent: "x", DeleteInProgress: true })
  ) {
    await refused(update({ Name: "acme", [field]: value }), 400, `Cannot change ${field}`);
  }
  assert.equal(
    (await update({ Name: "ACME", Address: "Here", Type: "developer" })).json.message,
    "Organization updated",
  );
  await refused(call("auth/restricted/org/update", { Name: "acme", EdgeboxOnly: true }, ann), 403, "Forbidden");
  assert.equal(
    (await call("auth/restricted/org/update", { Name: "acme", EdgeboxOnly: true, Parent: "p" }, admin)).status,
    200,
  );
  const [acme] = (await call("auth/org/show", { EdgeboxOnly: true }, ann)).json;
  assert.deepEqual([acme.Address, acme.Phone, acme.Parent], ["Here", "1", "p"]);
  assert.deepEqual((await call("auth/org/show", { Phone: "" }, ann)).json, []);
  assert.deepEqual((await call("auth/org/show", undefined, bob)).json, []);
  await refused(call("auth/org/show", { Nonsense: 1 }, ann), 400, /Nonsense not found in database object/);
  await refused(call("auth/org/delete", { Name: "acme" }, ann), 400, "still part of Parent");
}

async function checkDelete({ call, login, user }: World): Promise<void> {
  const [ann, bob] = [await user("ann"), await user("bob")];
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  const [near, far] = [await new RegionDouble().start(), await new RegionDouble().start()];
  try {
    await call("auth/controller/create", { Region: "near", Address: near.address }, admin);
    await call("auth/controller/create", { Region: "far", Address: far.address }, admin);
    await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
    await call("auth/role/adduser", { org: "acme", username: "bob", role: "DeveloperViewer" }, ann);
    const remove = (by = ann) => call("auth/org/delete", { Name: "ACME" }, by);
    await refused(remove(bob), 403, "Forbidden");
    far.put("App", App.create({ key: { organization: "acme", name: "a", version: "1" } }));
    await refused(remove(), 400, /in use or check failed: region far: in use by some App$/);
    far.failures.set("OrganizationInUse", { after: 0, error: new RpcError(Status.INTERNAL, "store is gone") });
    await refused(remove(), 400, /in use or check failed: region far: store is gone/);
    await far.stop();
    await refused(remove(), 400, /in use or check failed: region far: Region far is unavailable/);
    assert.equal((await call("auth/org/show", undefined, ann)).json[0].DeleteInProgress, false);
    await call("auth/controller/delete", { Region: "far" }, admin);
    assert.equal((await remove()).json.message, "Organization deleted");
    await refused(remove(admin), 400, "Organization not found");
    assert.deepEqual((await call("auth/role/assignment/show", undefined, bob)).json, []);
    // The name is free again, for a user too.
    await user("acme");
  } finally {
    await near.stop();
    await far.stop();
  }
}

async function checkRoles({ call, login, user }: World): Promise<void> {
  const ann = await user("ann");
  const bob = await user("bob");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  await call("auth/org/create", { Name: "oper", Type: "operator" }, ann);
  const add = (org: string, username: string, role: string, by = ann) =>
    call("auth/role/adduser", { org, username, role }, by);
  const remove = (org: string, username: string, role: string, by = ann) =>
    call("auth/role/removeuser", { org, username, role }, by);
  await refused(add("acme", "", "DeveloperViewer"), 400, "Username not specified");
  await refused(add("acme", "bob", ""), 400, "Role not specified");
  await refused(add("acme", "Acme", "DeveloperViewer"), 400, "Org name cannot be same as user name");
  await refused(add("acme", "nobody", "DeveloperViewer"), 400, "Username not found");
  await refused(add("acme", "bob", "Wizard"), 400, "Role not found");
  await refused(add("acme", "bob", "BillingManager"), 400, "Role not found");
  await refused(add("acme", "bob", "OperatorViewer"), 400, "Can only assign developer roles");
  await refused(add("oper", "bob", "DeveloperViewer"), 400, "Can only assign operator roles");
  await refused(add("acme", "bob", "AdminViewer"), 400, "Admin roles cannot be associated");
  await refused(add("", "bob", "DeveloperViewer"), 400, "no permissions");
  await refused(add("", "bob", "DeveloperViewer", admin), 400, "Org name must be specified");
  await refused(add("nowhere", "bob", "DeveloperViewer", admin), 400, "Organization not found");
  assert.equal((await add("ACME", "BOB", "DeveloperViewer")).json.message, "Role added to user");
  await refused(add("acme", "bob", "DeveloperManager"), 400, "already has a role DeveloperViewer");
  assert.deepEqual((await call("auth/role/assignment/show", undefined, bob)).json, [
    { org: "acme", username: "bob", role: "DeveloperViewer" },
  ]);
  await refused(remove("acme", "bob", "DeveloperViewer", bob), 403, "Forbidden");
  await refused(remove("acme", "bob", "DeveloperManager"), 400, "does not have role");
  assert.equal((await remove("acme", "bob", "DeveloperViewer")).json.message, "Role removed from user");
  await refused(remove("acme", "ann", "DeveloperManager"), 400, "last remaining manager");
  await refused(remove("", "mexadmin", "AdminManager", admin), 400, /superuser|last remaining manager/);
  assert.equal((await add("", "bob", "AdminManager", admin)).status, 200);
  assert.equal((await call("auth/controller/show", undefined, bob)).status, 200, "an admin role acts at once");
  await call("auth/config/update", { AdminPasswordMinCrackTimeSec: 1e18 }, admin);
  await refused(add("", "ann", "AdminViewer", admin), 400, "strength not verified");
  await login("ann");
  await refused(add("", "ann", "AdminViewer", admin), 400, "Password too weak");
  await refused(call("login", { username: "bob", password: "1orangefoxquickhandlebrush1" }), 400, "Admin too weak");
}

async function checkManagersRace({ call, user }: World): Promise<void> {
  const [ann, bob] = [await user("ann"), await user("bob")];
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  await call("auth/role/adduser", { org: "acme", username: "bob", role: "DeveloperManager" }, ann);
  const role = "DeveloperManager";
  const answers = await Promise.all([
    call("auth/role/removeuser", { org: "acme", username: "bob", role }, ann),
    call("auth/role/removeuser", { org: "acme", username: "ann", role }, bob),
  ]);
  assert.ok(answers.filter((answer) => answer.status === 200).length <= 1);
  const left = [
    ...(await call("auth/role/showuser", { org: "acme" }, ann)).json,
    ...(await call("auth/role/showuser", { org: "acme" }, bob)).json,
  ];
  assert.ok(left.some((row) => row.role === role), "the organization has lost all its managers");
}

async function checkNoProbing({ call, user }: World): Promise<void> {
  const [ann, eve] = [await user("ann"), await user("eve")];
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  const probe = async (org: string, username: string, role: string) =>
    (await call("auth/role/adduser", { org, username, role }, eve)).text;
  const answers = new Set([
    await probe("acme", "ann", "DeveloperViewer"),
    await probe("acme", "nobody", "DeveloperViewer"),
    await probe("nowhere", "ann", "DeveloperViewer"),
    await probe("nowhere", "ann", "Wizard"),
  ]);
  assert.deepEqual(answers, new Set(['{"message":"Forbidden"}']));
}

async function checkShowRoles({ call, login, user }: World): Promise<void> {
  const ann = await user("ann");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  await call("auth/org/create", { Name: "acme", Type: "developer" }, ann);
  const roles = (await call("auth/role/show", undefined, ann)).json;
  assert.equal(roles.length, 10);
  assert.deepEqual(roles, [...roles].sort());
  const own = (await call("auth/role/perms/show", undefined, ann)).json;
  assert.ok(!own.some((row: { role: string }) => row.role.startsWith("Admin")));
  assert.equal((await call("auth/role/perms/show", undefined, admin)).json.length, 163);
  assert.deepEqual((await call("auth/role/perms/show", { role: "OperatorViewer", resource: "cloudlets" }, ann)).json, [
    { role: "OperatorViewer", resource: "cloudlets", action: "view" },
  ]);
  assert.equal((await call("auth/role/assignment/show", undefined, admin)).json.length, 2);
  assert.deepEqual((await call("auth/role/showuser", undefined, ann)).json, [
    { org: "acme", username: "ann", role: "DeveloperManager" },
  ]);
}

async function checkRegions({ call, login, user }: World): Promise<void> {
  const ann = await user("ann");
  const admin = await login("mexadmin", ADMIN_PASSWORD);
  const create = (body: object, by = admin) => call("auth/controller/create", body, by);
  await refused(create({ Region: "eu", Address: "h:1" }, ann), 403, "Forbidden");
  await refused(create({ Address: "h:1" }), 400, "Region not specified");
  await refused(create({ Region: "e u", Address: "h:1" }), 400, "Region must match");
  await refused(create({ Region: "eu" }), 400, "Address not specified");
  for (const Address of ["h", "h:0", "h:65536", "h:x", "http://h:1", "h:1,"]) {
    await refused(create({ Region: "eu", Address }), 400, "must be host:port");
  }
  await refused(create({ Region: "eu", Address: "h:1", DnsRegion: "Not_DNS" }), 400, "DnsRegion must be a DNS label");
  assert.equal(
    (await create({ Region: "EU_1", Address: "h:1", NotifyAddr: "h:2" })).json.message,
    "Controller registered",
  );
  await refused(create({ Region: "eu_1", Address: "h:3" }), 400, "already exists");
  await refused(create({ Region: "us", Address: "h:1" }), 400, "address h:1 already exists");
  await refused(create({ Region: "us", Address: "h:3", DnsRegion: "eu-1" }), 400, "DnsRegion is used");
  await create({ Region: "us", Address: "h:3,h:4" });
  const rows = (await call("auth/controller/show", undefined, admin)).json;
  assert.deepEqual(rows.map((row: Record<string, unknown>) => [row.Region, row.DnsRegion, row.NotifyAddr]), [
    ["EU_1", "eu-1", "h:2"],
    ["us", "us", ""],
  ]);
  assert.deepEqual((await call("auth/controller/show", undefined, ann)).json, [{ Region: "EU_1" }, { Region: "us" }]);
  await refused(call("auth/controller/show", { Address: "h:1" }, ann), 403, "Forbidden");
  await refused(
    call("auth/controller/update", { Region: "us", DnsRegion: "x" }, admin),
    400,
    "Cannot change DnsRegion",
  );
  assert.equal(
    (await call("auth/controller/update", { Region: "us", Address: "h:5" }, admin)).json.message,
    "Controller updated",
  );
  await refused(call("auth/controller/delete", { Region: "us" }, ann), 403, "Forbidden");
  assert.equal((await call("auth/controller/delete", { Region: "us" }, admin)).json.message, "Controller deregistered");
  await refused(call("auth/controller/delete", { Region: "us" }, admin), 400, 'Region "us" not found');
}

async function checkRegionNotice(world: World, databaseUrl: string): Promise<void> {
  const other = await makeWorld(databaseUrl);
  try {
    const admin = await world.login("mexadmin", ADMIN_PASSWORD);
    await world.call("auth/controller/create", { Region: "eu", Address: "127.0.0.1:1" }, admin);
    const deadline = performance.now() + 30_000;
    while (!other.core.regions.names().includes("eu")) {
      assert.ok(performance.now() < deadline, "the other master controller did not learn of the region");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await world.call("auth/controller/delete", { Region: "eu" }, admin);
    while (other.core.regions.names().includes("eu")) {
      assert.ok(performance.now() < deadline, "the other master controller did not learn of the end");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    await other.close();
  }
}

async function checkTwoStart({ core }: World, databaseUrl: string): Promise<void> {
  const tables = ["schema_migrations", "controllers", "configs", "role_assignments", "organizations", "users"];
  for (const table of [...tables, "principal_names"]) {
    await core.database.execute`drop table ${identifier(table)} cascade`;
  }
  await core.database.execute`drop function announce_change`;
  const worlds = await Promise.all([makeWorld(databaseUrl), makeWorld(databaseUrl), makeWorld(databaseUrl)]);
  try {
    assert.deepEqual(await core.database.query`select name from users`, [{ name: "mexadmin" }]);
    assert.deepEqual(await core.database.query`select role from role_assignments`, [{ role: "AdminManager" }]);
  } finally {
    for (const world of worlds) await world.close();
  }
}
