import { DnsError, type DnsRecord, type DnsRecordType } from "../../../../shared/dns/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { DataCall, DataHandler } from "./data.ts";
import { invalid, readFields } from "./data_input.ts";
import { requireOwnName } from "./names.ts";

const TYPES: readonly DnsRecordType[] = ["A", "AAAA", "CNAME"];
const DEFAULT_TTL_SECONDS = 300;

/** Records of the cloudlet's own names. A record's id is its name, so a delete needs no look-up to be judged. */
export const dnsData: Readonly<Record<string, DataHandler>> = {
  async "create-or-update-dns-record"(call) {
    const { Name, RType, Content, TTL } = readFields(call.data, ["Zone", "Name", "RType", "Content", "TTL"]);
    const name = ownName(call, Name);
    const type = TYPES.find((each) => each === RType.toUpperCase());
    if (type === undefined) throw invalid(`RType must be one of ${TYPES.join(", ")}, got ${JSON.stringify(RType)}`);
    const ttlSeconds = Number(TTL) || DEFAULT_TTL_SECONDS;
    await withDns(() => call.context.dns.upsert({ name, type, values: [Content.toLowerCase()], ttlSeconds }));
  },
  async "get-dns-records"(call) {
    const { Name } = readFields(call.data, ["Zone", "Name"]);
    const records = await withDns(() => call.context.dns.list(ownName(call, Name)));
    return records.flatMap(shown);
  },
  async "delete-dns-record"(call) {
    const { Name } = readFields(call.data, ["Zone", "Name"]);
    await withDns(() => call.context.dns.delete(ownName(call, Name)));
  },
};

function ownName({ cloudlet, context }: DataCall, name: string): string {
  return requireOwnName(cloudlet, context.zone, name, false);
}

function shown({ name, type, values, ttlSeconds }: DnsRecord): Record<string, unknown>[] {
  return values.map((content) => ({ ID: name, Name: name, Type: type, Content: content, TTL: ttlSeconds }));
}

async function withDns<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DnsError) throw new RpcError(Status.FAILED_PRECONDITION, error.message, { cause: error });
    throw error;
  }
}
