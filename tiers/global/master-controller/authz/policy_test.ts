import assert from "node:assert/strict";
import { Grants } from "./grants.ts";
import { permits, policyRows, RESOURCES, ROLES } from "./policy.ts";

Deno.test("the policy table has the size that the specification names", () => {
  assert.equal(policyRows().length, 163);
  assert.equal(RESOURCES.length, 18);
  assert.equal(ROLES.length, 10);
  for (const { resource } of policyRows()) assert.ok((RESOURCES as readonly string[]).includes(resource), resource);
});

Deno.test("permits() follows the table", () => {
  const cases: [string, string, "view" | "manage", boolean][] = [
    ["AdminManager", "config", "manage", true],
    ["AdminContributor", "config", "view", false],
    ["AdminContributor", "users", "view", true],
    ["AdminContributor", "users", "manage", false],
    ["AdminViewer", "apps", "view", true],
    ["AdminViewer", "apps", "manage", false],
    ["AdminViewer", "billing", "view", false],
    ["DeveloperManager", "apps", "manage", true],
    ["DeveloperManager", "cloudlets", "view", true],
    ["DeveloperManager", "cloudlets", "manage", false],
    ["DeveloperContributor", "users", "manage", false],
    ["DeveloperViewer", "appinsts", "manage", false],
    ["OperatorManager", "cloudlets", "manage", true],
    ["OperatorManager", "billing", "view", false],
    ["OperatorManager", "apps", "view", false],
    ["OperatorViewer", "cloudletpools", "view", true],
    ["BillingManager", "billing", "manage", true],
    ["Nobody", "apps", "view", false],
  ];
  for (const [role, resource, action, expected] of cases) {
    assert.equal(permits(role, resource, action), expected, `${role} ${action} ${resource}`);
  }
});

Deno.test("Grants keep a role to its organization, and let platform roles reach everywhere", () => {
  const developer = new Grants(new Map([["acme", "DeveloperManager"], ["other", "DeveloperViewer"]]));
  assert.equal(developer.allows("acme", "apps", "manage"), true);
  assert.equal(developer.allows("other", "apps", "manage"), false);
  assert.equal(developer.allows("third", "apps", "view"), false);
  assert.equal(developer.allows("", "apps", "view"), false);
  assert.deepEqual(developer.organizations("apps", "manage"), new Set(["acme"]));
  assert.deepEqual(developer.organizations("apps", "view"), new Set(["acme", "other"]));
  assert.equal(developer.belongsTo("developer"), true);
  assert.equal(developer.belongsTo("operator"), false);
  assert.equal(developer.isAdmin, false);
  const viewer = new Grants(new Map([["", "AdminViewer"]]));
  assert.equal(viewer.allows("acme", "apps", "view"), true);
  assert.equal(viewer.allows("acme", "apps", "manage"), false);
  assert.equal(viewer.organizations("apps", "view"), "all");
  assert.deepEqual(viewer.organizations("apps", "manage"), new Set());
});
