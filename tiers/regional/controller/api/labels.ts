import { failedPrecondition } from "../faults.ts";
import { NAME_TRIES } from "../limits.ts";
import { salted } from "../rules/dns_labels.ts";
import type { ObjectTx } from "../state/object_tx.ts";

/**
 * Takes the first free name made from `base`, itself or with a number from 1 to 9, by a row that keeps it unique.
 *
 * @param row store key of the row of a name
 * @param reserved names that are never given
 */
export async function takeName(
  tx: ObjectTx,
  base: string,
  maxCharacters: number,
  row: (name: string) => string,
  reserved: readonly string[] = [],
): Promise<string> {
  for (let attempt = 0; attempt < NAME_TRIES; attempt++) {
    const name = salted(base, attempt, maxCharacters);
    if (reserved.includes(name) || await tx.getRow(row(name)) !== undefined) continue;
    tx.putRow(row(name), name);
    return name;
  }
  throw failedPrecondition(`All ${NAME_TRIES} names like ${salted(base, 0, maxCharacters)} are taken`);
}
