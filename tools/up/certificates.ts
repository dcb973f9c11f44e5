import {
  type CertificateAuthority,
  type Identity,
  type IssuedCertificate,
  renewAt,
  writeCertificate,
} from "../../shared/identity/mod.ts";
import type { Clock, Files, Timer } from "../../shared/runtime/mod.ts";
import type { Logger } from "../../shared/telemetry/mod.ts";

/** Keeps folders with certificates that never run out. */
export interface Certificates {
  /** Issues a service's certificate into a folder, and again before it ends, until `drop`. */
  keep(folder: string, identity: Identity): Promise<void>;
  /** The same for a port that anybody may call. */
  keepPublic(folder: string): Promise<void>;
  /** Renews the folder no more. */
  drop(folder: string): void;
  close(): void;
}

/** Pause before a renewal that failed is tried again, ms. */
const RETRY_MS = 60_000;
/** Longest time a timer is set for; longer waits are made of several, as timers hold 31 bits, ms. */
const LONGEST_TIMER_MS = 86_400_000;
/** Names of a public port on one machine. */
const PUBLIC_NAMES = { dnsNames: ["localhost", "*.localhost"], ipAddresses: ["127.0.0.1", "::1"] };

/** @param ca Issues the certificates; only `up` holds it. */
export function keepCertificates(
  ca: CertificateAuthority,
  deps: { files: Files; clock: Clock; log: Logger },
): Certificates {
  const timers = new Map<string, Timer>();

  async function issue(folder: string, make: () => Promise<IssuedCertificate>): Promise<void> {
    const issued = await make();
    await deps.files.makeDirectory(folder, { mode: 0o700 });
    await writeCertificate(folder, issued, { files: deps.files });
    schedule(folder, renewAt(issued), make);
  }

  function schedule(folder: string, at: number, make: () => Promise<IssuedCertificate>): void {
    const wait = Math.min(Math.max(at - deps.clock.now(), 0), LONGEST_TIMER_MS);
    timers.set(folder, deps.clock.setTimer(() => renew(folder, at, make), wait));
  }

  async function renew(folder: string, at: number, make: () => Promise<IssuedCertificate>): Promise<void> {
    if (!timers.has(folder)) return;
    if (deps.clock.now() < at) return schedule(folder, at, make);
    try {
      await issue(folder, make);
      deps.log.info("certificate renewed", { folder });
    } catch (error) {
      deps.log.error("certificate not renewed", {
        folder,
        error: error instanceof Error ? error.message : String(error),
      });
      schedule(folder, deps.clock.now() + RETRY_MS, make);
    }
  }

  return {
    keep: (folder, identity) => issue(folder, () => ca.issue({ identity })),
    keepPublic: (folder) => issue(folder, () => ca.issuePublic({ commonName: "localhost", ...PUBLIC_NAMES })),
    drop(folder) {
      timers.get(folder)?.cancel();
      timers.delete(folder);
    },
    close() {
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
    },
  };
}
