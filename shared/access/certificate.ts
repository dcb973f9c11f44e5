import { parseCertificate, renewAt, writeCertificate } from "../identity/mod.ts";
import { createChannel, RpcError, Status } from "../rpc/mod.ts";
import type { Clock, Files, Timer } from "../runtime/mod.ts";
import { errorFields, type Logger } from "../telemetry/mod.ts";
import { type AccessClient, createAccessClient } from "./client.ts";
import { accessKeyFile } from "./key_file.ts";
import { verifyKey } from "./key_watch.ts";
import { AccessKeyError } from "./keys.ts";

/** A certificate that the region issues to a service of a cloudlet, and the folder that gets it with its key. */
export interface KeptCertificate {
  /** Gets cert.pem, key.pem and ca.pem. */
  readonly folder: string;
  issue(client: AccessClient): Promise<{ certPem: string; keyPem: string }>;
}

/** Where a service of a cloudlet gets its certificates from when nobody lays them beside it. */
export interface AccessOptions {
  /** host:port of the region's access API. */
  readonly address: string;
  /** File of the cloudlet's access key. */
  readonly keyFile: string;
  /** Root that the access API's certificate must come from, PEM. */
  readonly ca: string;
  /** JSON of the cloudlet's key. */
  readonly cloudletKey: string;
  /**
   * Whether this service exchanges a key that was issued for the first start, as one of a cloudlet must, or waits until
   * that one has (specification 7.3).
   */
  readonly duty: "exchange" | "verify";
  readonly certificates: readonly KeptCertificate[];
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A way to the region's access API that keeps certificates good. */
export interface AccessSession {
  readonly client: AccessClient;
  /** Ends the renewals and the connection. */
  close(): void;
}

/** Pause before the region is asked again, ms: doubles from the first to the last. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** Longest time a timer is set for, as timers hold 31 bits, ms. */
const LONGEST_TIMER_MS = 86_400_000;
/** How often a key is looked at that the one who exchanges it may be exchanging now (specification 7.3). */
const FIRST_TRIES = 30;

/** The certificate by which a service names itself to others of the platform. */
export function serviceCertificate(service: string, folder: string): KeptCertificate {
  return { folder, issue: (client) => client.issueCert(service) };
}

/** A certificate for what devices connect to, for a name that is the cloudlet's. */
export function publicCertificate(dnsName: string, folder: string): KeptCertificate {
  return {
    folder,
    async issue(client) {
      const reply = JSON.parse(new TextDecoder().decode(await client.data("get-public-cert", dnsName)));
      return { certPem: String(reply.cert), keyPem: String(reply.key) };
    },
  };
}

/**
 * Makes sure that there are certificates in their folders and that they never run out: exchanges or verifies the access
 * key, has the region issue what is missing or old, and again at two thirds of its life. Waits for the region as long as
 * it takes.
 *
 * @throws {AccessKeyError} When there is no key. {RpcError} UNAUTHENTICATED When the region does not accept it.
 */
export async function openAccess(options: AccessOptions, signal: AbortSignal): Promise<AccessSession> {
  const { files, clock, log, certificates } = options;
  const channel = createChannel({ address: options.address, tls: { ca: options.ca } });
  const keyFile = accessKeyFile(options.keyFile, files);
  const client = createAccessClient({ channel, cloudletKey: options.cloudletKey, keyFile });
  const timers = new Map<KeptCertificate, Timer>();
  let closed = false;

  async function schedule(kept: KeptCertificate): Promise<void> {
    const at = renewAt(parseCertificate(await files.readText(`${kept.folder}/cert.pem`)));
    const again = async () => {
      if (closed) return;
      if (clock.now() >= at) await renew(kept);
      else await schedule(kept);
    };
    const pauseMs = Math.min(Math.max(at - clock.now(), 0), LONGEST_TIMER_MS);
    if (!closed) timers.set(kept, clock.setTimer(() => void again(), pauseMs));
  }

  async function renew(kept: KeptCertificate): Promise<void> {
    try {
      await issue(client, kept, options);
      await schedule(kept);
    } catch (error) {
      if (closed) return;
      log.error("Certificate could not be renewed, trying again", errorFields(error));
      timers.set(kept, clock.setTimer(() => void renew(kept), RETRY_MAX_MS));
    }
  }

  /** Those that were issued before a key was revoked are refused, so another key means other certificates. */
  async function begin(): Promise<void> {
    if (options.duty === "exchange") {
      const exchanged = await client.upgrade();
      if (exchanged) log.info("Access key exchanged", { file: options.keyFile });
      for (const kept of certificates) if (exchanged || await isDue(kept, options)) await issue(client, kept, options);
    } else {
      await verifyKey(client, { tries: FIRST_TRIES, clock }, signal);
      for (const kept of certificates) await issue(client, kept, options);
    }
  }

  try {
    await patiently(options, signal, begin);
    for (const kept of certificates) await schedule(kept);
  } catch (error) {
    channel.close();
    throw error;
  }
  return {
    client,
    close() {
      closed = true;
      for (const timer of timers.values()) timer.cancel();
      channel.close();
    },
  };
}

async function issue(client: AccessClient, kept: KeptCertificate, { ca, files, log }: AccessOptions): Promise<void> {
  const { certPem, keyPem } = await kept.issue(client);
  await files.makeDirectory(kept.folder, { mode: 0o700 });
  await writeCertificate(kept.folder, { certPem, keyPem, caPem: ca }, { files });
  log.info("Certificate issued by the region", { folder: kept.folder });
}

async function isDue({ folder }: KeptCertificate, { files, clock }: AccessOptions): Promise<boolean> {
  if (!await files.exists(`${folder}/cert.pem`)) return true;
  return clock.now() >= renewAt(parseCertificate(await files.readText(`${folder}/cert.pem`)));
}

/** Tries until it works; what trying again cannot mend is thrown. */
async function patiently({ clock, log }: AccessOptions, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let pauseMs = RETRY_MIN_MS;; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AccessKeyError) throw error;
      const code = RpcError.from(error).code;
      if (code !== Status.UNAVAILABLE && code !== Status.DEADLINE_EXCEEDED && code !== Status.ABORTED) throw error;
      log.warn("The region's access API does not answer, trying again", { ...errorFields(error), pause_ms: pauseMs });
      await clock.sleep(pauseMs, signal);
    }
  }
}
