import { sql } from "../../../../shared/database/mod.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { json, message } from "../http/reply.ts";
import type { AuthCall, Route } from "../http/route.ts";
import type { Session } from "../auth/session.ts";
import { addAssignment } from "../model/assignments.ts";
import { claimName, releaseName, requireValidName } from "../model/names.ts";
import {
  findRecord,
  insertRecord,
  readFilter,
  readRecord,
  type RecordValues,
  requireMutable,
  selectRecords,
  toRecordJson,
  updateRecord,
} from "../model/record.ts";
import { ORGANIZATIONS } from "../model/types.ts";
import { findUses } from "../region/usage.ts";

/** Organizations of developers and operators. */
export const organizationRoutes: readonly Route[] = [
  { path: "org/create", summary: "Make an organization; the caller becomes its manager", handle: createOrganization },
  { path: "org/update", summary: "Change an organization", handle: updateOrganization },
  {
    path: "org/show",
    emptyBody: true,
    reading: true,
    summary: "Organizations in which the caller has a role; all for administrators",
    handle: showOrganizations,
  },
  { path: "org/delete", summary: "Delete an organization that no region uses", handle: deleteOrganization },
  {
    path: "restricted/org/update",
    summary: "Change an organization, with what only administrators may (Parent, EdgeboxOnly)",
    handle: updateRestricted,
  },
];

const OWN_FIELDS = ["Address", "Phone", "PublicImages"] as const;
const RESTRICTED_FIELDS = [...OWN_FIELDS, "Parent", "EdgeboxOnly"] as const;

/** Name that the original reserves besides that of the platform's own organization. */
const RESERVED_NAMES = ["edgebox"];

async function createOrganization({ core, session, body, audit }: AuthCall) {
  const values = readRecord(ORGANIZATIONS, body);
  const name = String(values.Name ?? "");
  audit.org = name;
  if (name === "") throw badRequest("Name not specified");
  requireValidName("Organization name", name);
  if (values.Type !== "developer" && values.Type !== "operator") {
    throw badRequest(`Organization type must be developer, or operator, given: ${JSON.stringify(values.Type ?? "")}`);
  }
  const reserved = [core.settings.platformOrg.toLowerCase(), ...RESERVED_NAMES].includes(name.toLowerCase());
  if (reserved && !session.grants.isAdmin) throw badRequest("Not authorized to create reserved organization " + name);
  const given = requireMutable(values, { Name: name, Type: values.Type, ...BLANK }, ["Name", "Type", ...OWN_FIELDS]);
  const operator = values.Type === "operator";
  await core.database.transaction(async (transaction) => {
    await claimName(transaction, "organization", name);
    await insertRecord(transaction, ORGANIZATIONS, { ...given, EdgeboxOnly: operator });
    const role = operator ? "OperatorManager" : "DeveloperManager";
    await addAssignment(transaction, { org: name, username: session.username, role });
  });
  return message("Organization created");
}

/** Values that a creation may name without setting anything. */
const BLANK: RecordValues = { DeleteInProgress: false, Parent: "", EdgeboxOnly: false };

async function updateOrganization(call: AuthCall) {
  const values = readRecord(ORGANIZATIONS, call.body);
  const name = String(values.Name ?? "");
  call.audit.org = name;
  if (name === "") throw badRequest("Organization name not specified");
  const row = await findRecord(call.core.database, ORGANIZATIONS, name);
  requireManager(call.session, row, name);
  await change(call, String(row!.Name), values, OWN_FIELDS);
  return message("Organization updated");
}

async function updateRestricted(call: AuthCall) {
  if (!call.session.grants.allows("", "users", "manage")) throw forbidden();
  const values = readRecord(ORGANIZATIONS, call.body);
  const name = String(values.Name ?? "");
  call.audit.org = name;
  if (name === "") throw badRequest("Organization name not specified");
  const row = await findRecord(call.core.database, ORGANIZATIONS, name);
  if (row === undefined) throw badRequest("Organization not found");
  await change(call, String(row.Name), values, RESTRICTED_FIELDS);
  return { kind: "empty" } as const;
}

async function change(call: AuthCall, name: string, values: RecordValues, mutable: readonly string[]): Promise<void> {
  await call.core.database.transaction(async (transaction) => {
    const row = await findRecord(transaction, ORGANIZATIONS, name, { lock: true });
    if (row === undefined) throw badRequest("Organization not found");
    await updateRecord(transaction, ORGANIZATIONS, name, requireMutable(values, row, mutable));
  });
}

async function showOrganizations({ core, session, body }: AuthCall) {
  const filter = readFilter(ORGANIZATIONS, body);
  const own = sql`exists (select 1 from role_assignments r where r.org = name and r.username = ${session.username})`;
  const rows = await selectRecords(core.database, ORGANIZATIONS, filter, session.grants.isAdmin ? [] : [own]);
  return json(rows.map((row) => toRecordJson(ORGANIZATIONS, row)));
}

/** Deletes in steps (mc spec 4.6), the first of which keeps anything new from being made in the organization. */
async function deleteOrganization(call: AuthCall) {
  const { core, session, body, audit } = call;
  const requested = String(readRecord(ORGANIZATIONS, body).Name ?? "");
  audit.org = requested;
  if (requested === "") throw badRequest("Organization name not specified");
  const row = await findRecord(core.database, ORGANIZATIONS, requested);
  requireManager(session, row, requested);
  const name = String(row!.Name);
  if (row!.Parent !== "") throw badRequest(`Organization ${name} is still part of Parent ${row!.Parent}`);
  const begun = await core.database.execute`update organizations set delete_in_progress = true
    where name = ${name} and not delete_in_progress`;
  if (begun === 0) throw badRequest("Org already being deleted");
  try {
    const uses = await findUses(core.regions, name, call.signal);
    if (uses.length > 0) throw badRequest(`Organization ${name} in use or check failed: ${uses.join("; ")}`);
    await core.database.transaction(async (transaction) => {
      await transaction.execute`delete from role_assignments where org = ${name}`;
      await transaction.execute`delete from organizations where name = ${name}`;
      await releaseName(transaction, name);
    });
  } catch (error) {
    await core.database.execute`update organizations set delete_in_progress = false where name = ${name}`;
    throw error;
  }
  return message("Organization deleted");
}

/** Whether it exists is told only to those who may manage it. */
function requireManager(session: Session, row: RecordValues | undefined, requested: string): void {
  if (!session.grants.allows(String(row?.Name ?? requested), "users", "manage")) throw forbidden();
  if (row === undefined) throw badRequest("Organization not found");
}
