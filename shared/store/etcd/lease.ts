import type { StoreClock } from "../deps.ts";
import { StoreError } from "../errors.ts";
import { LeaseTimer } from "../lease_timer.ts";
import type { Lease } from "../store.ts";
import { call, describe, type EtcdClient } from "./client.ts";

/** Grants a lease in etcd and counts it down here too, so that its loss is known even while etcd cannot be reached. */
export async function grantEtcdLease(
  client: EtcdClient,
  endpoints: number,
  clock: StoreClock,
  askedTtlMs: number,
): Promise<{ lease: Lease; timer: LeaseTimer }> {
  const askedAtMs = clock.now();
  const granted = await call(
    () => client.leaseClient.leaseGrant({ TTL: Math.ceil(askedTtlMs / 1000) }),
    { endpoints, read: false },
  );
  const id = granted.ID;
  const ttlMs = Number(granted.TTL) * 1000;
  const timer = new LeaseTimer(clock, ttlMs, () => {});
  timer.extendTo(askedAtMs + ttlMs);
  const gone = () => new StoreError("lease", `Lease ${id} has expired or never was`);
  const lease: Lease = {
    id,
    ttlMs,
    lost: timer.ended,
    async keepAlive() {
      if (timer.over) throw gone();
      // From before the request: etcd counts from some moment after it.
      const sentAtMs = clock.now();
      const left = await extend(client, id, ttlMs);
      if (left <= 0) {
        timer.end();
        throw gone();
      }
      timer.extendTo(sentAtMs + ttlMs);
    },
    async revoke() {
      if (timer.over) return;
      timer.end();
      try {
        await call(() => client.leaseClient.leaseRevoke({ ID: id }), { endpoints, read: false });
      } catch (error) {
        if (!(error instanceof StoreError && error.reason === "lease")) throw error;
      }
    },
  };
  return { lease, timer };
}

/** One keep-alive over a stream of its own; returns the seconds that etcd gives, 0 when the lease is gone. */
async function extend(client: EtcdClient, id: string, timeoutMs: number): Promise<number> {
  try {
    const stream = await client.leaseClient.leaseKeepAlive({ deadline: Date.now() + timeoutMs });
    return await new Promise<number>((resolve, reject) => {
      stream.on("data", (answer) => {
        stream.end();
        resolve(Number(answer.TTL));
      });
      stream.on("error", reject);
      stream.on("end", () => reject(new StoreError("unavailable", "etcd ended a keep-alive without an answer")));
      stream.write({ ID: id });
    });
  } catch (error) {
    throw describe(error);
  }
}
