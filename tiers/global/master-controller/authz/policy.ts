/** What a role may do with a resource. */
export type Action = "view" | "manage";

/** Things that permissions are given on (mc spec 2.4). */
export const RESOURCES = [
  ...["users", "controllers", "config", "billing", "flavors", "clusterflavors", "apps", "appinsts", "clusters"],
  ...["clusterinsts", "appanalytics", "clusteranalytics", "developerpolicy", "alert", "cloudlets", "cloudletpools"],
  ...["cloudletanalytics", "restagtbl"],
] as const;

const DEVELOPER_SET = "apps appinsts clusters clusterinsts appanalytics clusteranalytics developerpolicy alert".split(
  " ",
);
const OPERATOR_SET = "cloudlets cloudletanalytics restagtbl cloudletpools alert".split(" ");

/** Type of an organization. */
export type OrgType = "developer" | "operator";

/** A role: permissions, and where it may be given. */
export interface Role {
  readonly name: string;
  /** Type of organization in which it is given; `admin` roles stand above all, `billing` is not given by hand. */
  readonly scope: OrgType | "admin" | "billing";
  /** Resource to the highest action; `manage` includes `view`. */
  readonly permissions: ReadonlyMap<string, Action>;
}

function role(name: string, scope: Role["scope"], manage: readonly string[], view: readonly string[]): Role {
  const permissions = new Map<string, Action>();
  for (const resource of view) permissions.set(resource, "view");
  for (const resource of manage) permissions.set(resource, "manage");
  return { name, scope, permissions };
}

/**
 * The roles, as one table of the program: roles are fixed, so keeping them as rows would only let them drift from the
 * code that relies on them. What is kept in the database is who holds which.
 */
export const ROLES: readonly Role[] = [
  role("AdminManager", "admin", RESOURCES, []),
  role("AdminContributor", "admin", [...DEVELOPER_SET, ...OPERATOR_SET], ["users", "billing"]),
  role("AdminViewer", "admin", [], [...DEVELOPER_SET, ...OPERATOR_SET, "users"]),
  role("DeveloperManager", "developer", [...DEVELOPER_SET, "users", "billing"], [
    "flavors",
    "clusterflavors",
    "cloudlets",
  ]),
  role("DeveloperContributor", "developer", DEVELOPER_SET, ["users", "flavors", "clusterflavors", "cloudlets"]),
  role("DeveloperViewer", "developer", [], [...DEVELOPER_SET, "users", "flavors", "clusterflavors", "cloudlets"]),
  role("OperatorManager", "operator", [...OPERATOR_SET, "users"], []),
  role("OperatorContributor", "operator", OPERATOR_SET, ["users"]),
  role("OperatorViewer", "operator", [], [...OPERATOR_SET, "users"]),
  role("BillingManager", "billing", ["users", "billing"], []),
];

const BY_NAME: ReadonlyMap<string, Role> = new Map(ROLES.map((each) => [each.name, each]));

/** The role of a name; undefined when there is none. */
export function findRole(name: string): Role | undefined {
  return BY_NAME.get(name);
}

/** Whether a role permits an action on a resource. */
export function permits(roleName: string, resource: string, action: Action): boolean {
  const granted = BY_NAME.get(roleName)?.permissions.get(resource);
  return granted === "manage" || (granted === "view" && action === "view");
}

/** One line of the table in the form of `role/perms/show`. */
export interface PolicyRow {
  readonly role: string;
  readonly resource: string;
  readonly action: Action;
}

/** The whole table, one row for each action that is permitted. */
export function policyRows(): PolicyRow[] {
  const rows: PolicyRow[] = [];
  for (const each of ROLES) {
    for (const [resource, action] of each.permissions) {
      if (action === "manage") rows.push({ role: each.name, resource, action });
      rows.push({ role: each.name, resource, action: "view" });
    }
  }
  return rows;
}
