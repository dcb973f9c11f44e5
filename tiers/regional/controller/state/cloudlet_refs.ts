import type { JsonValue } from "../../../../shared/schema/mod.ts";
import type { ObjectTx } from "./object_tx.ts";
import { cloudletRefsRow } from "./rows.ts";

/** What a cloudlet has given away. */
export interface CloudletRefs {
  /** Ports of the shared load balancer, e.g. "tcp:443", by the identifier of the instance that holds them. */
  readonly ports: Readonly<Record<string, readonly string[]>>;
}

/** What a cloudlet has given away so far. */
export async function readCloudletRefs(tx: ObjectTx, cloudletKey: string): Promise<CloudletRefs> {
  return (await tx.getRow(cloudletRefsRow(cloudletKey)) as unknown as CloudletRefs | undefined) ?? { ports: {} };
}

/** Notes what a cloudlet has given away. */
export function writeCloudletRefs(tx: ObjectTx, cloudletKey: string, refs: CloudletRefs): void {
  if (Object.keys(refs.ports).length === 0) tx.removeRow(cloudletRefsRow(cloudletKey));
  else tx.putRow(cloudletRefsRow(cloudletKey), refs as unknown as JsonValue);
}
