import { field, type RecordType } from "./record.ts";

/** Accounts of people. */
export const USERS: RecordType = {
  table: "users",
  key: "Name",
  fields: [
    field("Name", "string"),
    field("Email", "string"),
    field("EmailVerified", "boolean"),
    field("Passhash", "string", { secret: true }),
    field("Salt", "string", { secret: true }),
    field("Iter", "integer", { secret: true }),
    field("FamilyName", "string"),
    field("GivenName", "string"),
    field("Picture", "string"),
    field("Nickname", "string"),
    field("CreatedAt", "time"),
    field("UpdatedAt", "time"),
    field("Locked", "boolean"),
    field("PassCrackTimeSec", "number"),
    field("Metadata", "string"),
    field("LastLogin", "time"),
    field("LastFailedLogin", "time"),
    field("FailedLogins", "integer"),
  ],
};

/** Organizations of developers and operators. */
export const ORGANIZATIONS: RecordType = {
  table: "organizations",
  key: "Name",
  fields: [
    field("Name", "string"),
    field("Type", "string"),
    field("Address", "string"),
    field("Phone", "string"),
    field("CreatedAt", "time"),
    field("UpdatedAt", "time"),
    field("PublicImages", "boolean"),
    field("DeleteInProgress", "boolean"),
    field("Parent", "string"),
    field("EdgeboxOnly", "boolean"),
  ],
};

/** Regions, each with the address of its controller. */
export const CONTROLLERS: RecordType = {
  table: "controllers",
  key: "Region",
  fields: [
    field("Region", "string"),
    field("Address", "string"),
    field("NotifyAddr", "string"),
    field("InfluxDB", "string", { column: "influx_db" }),
    field("ThanosMetrics", "string"),
    field("DnsRegion", "string"),
    field("CreatedAt", "time"),
    field("UpdatedAt", "time"),
  ],
};
