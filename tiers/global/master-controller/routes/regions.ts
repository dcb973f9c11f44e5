import { DatabaseError } from "../../../../shared/database/mod.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { json, message } from "../http/reply.ts";
import type { AuthCall, Route } from "../http/route.ts";
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
import { CONTROLLERS } from "../model/types.ts";

/** Regions, each known by its controller's address. */
export const regionRoutes: readonly Route[] = [
  { path: "controller/create", summary: "Register a region", handle: createController },
  { path: "controller/update", summary: "Change a region's addresses", handle: updateController },
  { path: "controller/delete", summary: "Forget a region", handle: deleteController },
  {
    path: "controller/show",
    emptyBody: true,
    reading: true,
    summary: "Regions; addresses for administrators only",
    handle: showControllers,
  },
];

const MUTABLE_FIELDS = ["Address", "NotifyAddr", "InfluxDB", "ThanosMetrics"] as const;
const MAX_DNS_REGION_LENGTH = 10;

async function createController({ core, session, body, audit }: AuthCall) {
  if (!session.grants.allows("", "controllers", "manage")) throw forbidden();
  const values = readRecord(CONTROLLERS, body);
  const region = String(values.Region ?? "");
  audit.region = region;
  if (region === "") throw badRequest("Controller Region not specified");
  if (!/^\w+$/.test(region)) throw badRequest(`Region must match [A-Za-z0-9_]+, given: ${JSON.stringify(region)}`);
  requireAddress("Address", values.Address);
  if (values.NotifyAddr) requireAddress("NotifyAddr", values.NotifyAddr);
  const dnsRegion = requireDnsRegion(String(values.DnsRegion || deriveDnsRegion(region)));
  const given = requireMutable(values, { Region: region }, ["Region", "DnsRegion", ...MUTABLE_FIELDS]);
  await explainTaken(values, async () => {
    if (await findRecord(core.database, CONTROLLERS, region) !== undefined) throw regionTaken(region);
    await insertRecord(core.database, CONTROLLERS, { ...given, DnsRegion: dnsRegion });
  });
  await core.regions.reload();
  return json({ message: "Controller registered", region });
}

async function updateController({ core, session, body, audit }: AuthCall) {
  if (!session.grants.allows("", "controllers", "manage")) throw forbidden();
  const values = readRecord(CONTROLLERS, body);
  const region = String(values.Region ?? "");
  audit.region = region;
  if (region === "") throw badRequest("Controller Region not specified");
  if (values.Address !== undefined) requireAddress("Address", values.Address);
  if (values.NotifyAddr) requireAddress("NotifyAddr", values.NotifyAddr);
  await explainTaken(values, () =>
    core.database.transaction(async (transaction) => {
      const row = await findRecord(transaction, CONTROLLERS, region, { lock: true });
      if (row === undefined) throw badRequest(`Region "${region}" not found`);
      await updateRecord(transaction, CONTROLLERS, String(row.Region), requireMutable(values, row, MUTABLE_FIELDS));
    }));
  await core.regions.reload();
  return message("Controller updated");
}

async function deleteController({ core, session, body, audit }: AuthCall) {
  if (!session.grants.allows("", "controllers", "manage")) throw forbidden();
  const region = String(readRecord(CONTROLLERS, body).Region ?? "");
  audit.region = region;
  if (region === "") throw badRequest("Controller Region not specified");
  const deleted = await core.database.execute`delete from controllers where lower(region) = lower(${region})`;
  if (deleted === 0) throw badRequest(`Region "${region}" not found`);
  await core.regions.reload();
  return message("Controller deregistered");
}

async function showControllers({ core, session, body }: AuthCall) {
  const filter = readFilter(CONTROLLERS, body);
  const full = session.grants.allows("", "controllers", "view");
  if (!full && Object.keys(filter).some((name) => name !== "Region")) throw forbidden();
  const rows = await selectRecords(core.database, CONTROLLERS, filter);
  return json(rows.map((row) => full ? toRecordJson(CONTROLLERS, row) : { Region: row.Region }));
}

/** A region's name as a DNS label of at most 10 characters. */
export function deriveDnsRegion(region: string): string {
  const label = region.toLowerCase().replace(/[^a-z0-9-]+/g, "-").slice(0, MAX_DNS_REGION_LENGTH);
  return label.replace(/^-+|-+$/g, "") || "region";
}

function requireDnsRegion(label: string): string {
  if (label.length <= MAX_DNS_REGION_LENGTH && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) return label;
  throw badRequest(
    `DnsRegion must be a DNS label of at most ${MAX_DNS_REGION_LENGTH} characters a-z 0-9 -, given: ${label}`,
  );
}

/** `host:port`, several divided by commas. @throws {ApiError} 400 */
function requireAddress(name: string, value: RecordValues[string] | undefined): void {
  const text = String(value ?? "");
  if (text === "") throw badRequest(`Controller ${name} not specified`);
  for (const address of text.split(",")) {
    const port = Number(/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(address)?.[1] ?? 0);
    if (port < 1 || port > 65535) throw badRequest(`Controller ${name} must be host:port, given: ${address}`);
  }
}

async function explainTaken(values: RecordValues, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.kind !== "unique") throw error;
    switch (error.place.constraint) {
      case "controllers_address_key":
        throw badRequest(`Controller with address ${values.Address} already exists`);
      case "controllers_dns_region_key":
        throw badRequest("DnsRegion is used by another region, please specify another one");
      default:
        throw regionTaken(String(values.Region));
    }
  }
}

function regionTaken(region: string): Error {
  return badRequest(`Controller for region ${region} already exists`);
}
