import { type AppInst, type AppInstKey, AppInstKind } from "../../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../../faults.ts";
import { NAME_TRIES } from "../../limits.ts";
import {
  appInstId,
  appInstLabel,
  MAX_OBJECT_LABEL_CHARACTERS,
  MAX_UNIQUE_ID_CHARACTERS,
  salted,
} from "../../rules/dns_labels.ts";
import { sanitizeDns } from "../../rules/names.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { appInstIdRow, objectLabelRow } from "../../state/rows.ts";
import { takeName } from "../labels.ts";
import type { Site } from "../resources/mod.ts";

/**
 * Gives an instance its identifier and its DNS label, or leaves it those that it has (specification 4.10). Throws
 * FAILED_PRECONDITION when another instance's key reads the same in names.
 */
export async function nameAppInst(
  tx: ObjectTx,
  instance: AppInst,
  { cloudlet }: Site,
  options: { before: AppInst | undefined; inCluster: boolean },
): Promise<void> {
  const { before, inCluster } = options;
  instance.uniqueId = before?.uniqueId || await takeId(tx, instance.key, inCluster);
  instance.dnsLabel = before?.dnsLabel || await takeName(
    tx,
    appInstLabel(instance.key.appKey),
    MAX_OBJECT_LABEL_CHARACTERS,
    (label) => objectLabelRow(cloudlet.dnsLabel, label),
    ["shared"],
  );
}

/** The row of an identifier tells whose it is, so that keys which differ in nothing but signs are found out. */
async function takeId(tx: ObjectTx, key: AppInstKey, inCluster: boolean): Promise<string> {
  const { appKey, clusterInstKey } = key;
  const base = appInstId(appKey, inCluster ? clusterInstKey.clusterKey.name : "", clusterInstKey.cloudletKey);
  const own = AppInstKind.keyString(key);
  for (let attempt = 0; attempt < NAME_TRIES; attempt++) {
    const id = salted(base, attempt, MAX_UNIQUE_ID_CHARACTERS);
    const holder = await tx.getRow(appInstIdRow(id));
    if (holder === undefined) {
      tx.putRow(appInstIdRow(id), own);
      return id;
    }
    // Rows of earlier versions hold the identifier itself.
    if (typeof holder !== "string" || !holder.startsWith("{")) continue;
    if (readsAs(AppInstKind.parseKey(holder)) === readsAs(key)) {
      throw failedPrecondition(`DNS names of the instance would be those of AppInst ${holder}: choose another name`);
    }
  }
  throw failedPrecondition(`All ${NAME_TRIES} identifiers like ${salted(base, 0, MAX_UNIQUE_ID_CHARACTERS)} are taken`);
}

/** A key as its parts read in names. */
function readsAs({ appKey, clusterInstKey }: AppInstKey): string {
  const { clusterKey, cloudletKey, organization } = clusterInstKey;
  const parts = [appKey.organization, appKey.name, appKey.version, clusterKey.name, organization];
  return [...parts, cloudletKey.name, cloudletKey.organization].map((part) => sanitizeDns(part)).join("/");
}
