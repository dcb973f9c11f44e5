import { keysCases } from "./conformance/keys.ts";
import { leasesCases } from "./conformance/leases.ts";
import type { ConformanceCase } from "./conformance/support.ts";
import { transactionCases } from "./conformance/transaction.ts";
import { watchCases } from "./conformance/watch.ts";

export type { ConformanceCase };

/** The suite that every driver passes. */
export const storeConformance: ConformanceCase[] = [...keysCases, ...watchCases, ...leasesCases, ...transactionCases];
