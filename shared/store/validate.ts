import { StoreError } from "./errors.ts";
import { encodeKey, encodePrefix } from "./keys.ts";
import {
  MAX_LEASE_TTL_MS,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_OPERATIONS,
  MAX_VALUE_BYTES,
  MIN_LEASE_TTL_MS,
} from "./limits.ts";
import type { Compare, Op, ScanOptions } from "./store.ts";

/** A compare with its key or its prefix as bytes. */
export type EncodedCompare = { key: Uint8Array; value: number } | { prefix: Uint8Array; value: number };

/** An operation with its key as bytes. */
export type EncodedOp = { type: "put"; key: Uint8Array; value: Uint8Array; lease?: string } | {
  type: "delete";
  key: Uint8Array;
};

/** Checks a transaction against the limits that all drivers share; throws a StoreError `invalid`. */
export function encodeTransaction(
  compares: readonly Compare[],
  ops: readonly Op[],
): { compares: EncodedCompare[]; ops: EncodedOp[] } {
  checkCount("compares", compares.length);
  checkCount("operations", ops.length);
  const seen = new Set<string>();
  let bytes = 0;
  const encodedOps = ops.map((op): EncodedOp => {
    if (seen.has(op.key)) throw new StoreError("invalid", `Store transaction writes key ${op.key} twice`);
    seen.add(op.key);
    const key = encodeKey(op.key);
    bytes += key.length;
    if (op.type === "delete") return { type: "delete", key };
    if (op.value.length > MAX_VALUE_BYTES) {
      throw new StoreError(
        "invalid",
        `Value of key ${op.key} must be at most ${MAX_VALUE_BYTES} bytes, given ${op.value.length}`,
      );
    }
    bytes += op.value.length;
    return { type: "put", key, value: op.value, lease: op.lease };
  });
  const encodedCompares = compares.map((compare): EncodedCompare => {
    checkInteger("compared revision", compare.value, 0);
    if ("key" in compare) {
      const key = encodeKey(compare.key);
      bytes += key.length;
      return { key, value: compare.value };
    }
    const prefix = encodePrefix(compare.prefix);
    bytes += prefix.length;
    return { prefix, value: compare.value };
  });
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw new StoreError(
      "invalid",
      `Store transaction must be at most ${MAX_TRANSACTION_BYTES} bytes, given ${bytes}`,
    );
  }
  return { compares: encodedCompares, ops: encodedOps };
}

function checkCount(what: string, count: number): void {
  if (count <= MAX_TRANSACTION_OPERATIONS) return;
  throw new StoreError(
    "invalid",
    `Store transaction may hold at most ${MAX_TRANSACTION_OPERATIONS} ${what}, given ${count}`,
  );
}

/** Checks a scan's options; throws a StoreError `invalid`. */
export function checkScanOptions(options: ScanOptions): void {
  if (options.limit !== undefined) checkInteger("scan limit", options.limit, 1);
  if (options.revision !== undefined) checkInteger("revision", options.revision, 1);
}

/** Checks that `value` is a safe integer of at least `minimum`; throws a StoreError `invalid`. */
export function checkInteger(what: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new StoreError("invalid", `Store ${what} must be a whole number of at least ${minimum}, given ${value}`);
  }
}

/** Checks a lease's time to live; throws a StoreError `invalid`. */
export function checkLeaseTtl(ttlMs: number): void {
  if (!Number.isFinite(ttlMs) || ttlMs < MIN_LEASE_TTL_MS || ttlMs > MAX_LEASE_TTL_MS) {
    throw new StoreError(
      "invalid",
      `Lease must last from ${MIN_LEASE_TTL_MS} to ${MAX_LEASE_TTL_MS} milliseconds, given ${ttlMs}`,
    );
  }
}
