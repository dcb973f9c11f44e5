import { type Action, findRole, type OrgType, permits } from "./policy.ts";

/** The roles of one user: organization to role, the empty organization standing for the platform. */
export class Grants {
  readonly #roles: ReadonlyMap<string, string>;

  constructor(roles: ReadonlyMap<string, string>) {
    this.#roles = roles;
  }

  /** Whether the user holds one of the admin roles. */
  get isAdmin(): boolean {
    return this.#roles.has("");
  }

  /** Role in an organization itself, roles on the platform left aside. */
  roleIn(organization: string): string | undefined {
    return this.#roles.get(organization);
  }

  /** Whether an action is permitted in an organization; the empty one stands for the platform as a whole. */
  allows(organization: string, resource: string, action: Action): boolean {
    const above = this.#roles.get("");
    if (above !== undefined && permits(above, resource, action)) return true;
    const here = organization === "" ? undefined : this.#roles.get(organization);
    return here !== undefined && permits(here, resource, action);
  }

  /** Organizations in which an action is permitted by a role there; `all` when by a role on the platform. */
  organizations(resource: string, action: Action): "all" | ReadonlySet<string> {
    if (this.allows("", resource, action)) return "all";
    return new Set([...this.#roles].filter(([, role]) => permits(role, resource, action)).map(([name]) => name));
  }

  /** Whether the user has a role in some organization of a type. */
  belongsTo(type: OrgType): boolean {
    return [...this.#roles.values()].some((role) => findRole(role)?.scope === type);
  }
}
