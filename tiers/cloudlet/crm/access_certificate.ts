import { type AccessClient, AccessKeyError, accessKeyFile, createAccessClient } from "../../../shared/access/mod.ts";
import { parseCertificate, renewAt, writeCertificate } from "../../../shared/identity/mod.ts";
import { createChannel, RpcError, Status } from "../../../shared/rpc/mod.ts";
import type { Clock, Files, Timer } from "../../../shared/runtime/mod.ts";
import { errorFields, type Logger } from "../../../shared/telemetry/mod.ts";

/** Where a resource manager gets its certificate from when nobody lays one beside it. */
export interface AccessOptions {
  /** host:port of the region's access API. */
  readonly address: string;
  /** File of the cloudlet's access key. */
  readonly keyFile: string;
  /** Root that the access API's certificate must come from, PEM. */
  readonly ca: string;
  /** JSON of the cloudlet's key. */
  readonly cloudletKey: string;
  /** Folder that gets cert.pem, key.pem and ca.pem. */
  readonly tlsDir: string;
  readonly service: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Pause before the region is asked again, ms: doubles from the first to the last. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** Longest time a timer is set for, as timers hold 31 bits, ms. */
const LONGEST_TIMER_MS = 86_400_000;

/**
 * Makes sure that there is a certificate in the folder and that it never runs out: exchanges an access key that was issued
 * for the first start, has the region issue a certificate, and another one at two thirds of its life. Waits for the region
 * as long as it takes.
 *
 * @returns what ends the renewals
 * @throws {AccessKeyError} When there is no key. {RpcError} UNAUTHENTICATED When the region does not accept it.
 */
export async function keepAccessCertificate(options: AccessOptions, signal: AbortSignal): Promise<() => void> {
  const { files, clock, log, tlsDir } = options;
  const channel = createChannel({ address: options.address, tls: { ca: options.ca } });
  const keyFile = accessKeyFile(options.keyFile, files);
  const client = createAccessClient({ channel, cloudletKey: options.cloudletKey, keyFile });
  let timer: Timer | undefined;
  let closed = false;

  async function schedule(): Promise<void> {
    const at = renewAt(parseCertificate(await files.readText(`${tlsDir}/cert.pem`)));
    const again = async () => {
      if (closed) return;
      if (clock.now() >= at) await renew();
      else await schedule();
    };
    timer = clock.setTimer(() => void again(), Math.min(Math.max(at - clock.now(), 0), LONGEST_TIMER_MS));
  }

  async function renew(): Promise<void> {
    try {
      await issue(client, options);
      await schedule();
    } catch (error) {
      log.error("Certificate could not be renewed, trying again", errorFields(error));
      timer = clock.setTimer(() => void renew(), RETRY_MAX_MS);
    }
  }

  try {
    await patiently(options, signal, async () => {
      if (await client.upgrade()) log.info("Access key exchanged", { file: options.keyFile });
      if (await isDue(options)) await issue(client, options);
    });
    await schedule();
  } catch (error) {
    channel.close();
    throw error;
  }
  return () => {
    closed = true;
    timer?.cancel();
    channel.close();
  };
}

async function issue(client: AccessClient, { service, tlsDir, ca, files, log }: AccessOptions): Promise<void> {
  const { certPem, keyPem } = await client.issueCert(service);
  await files.makeDirectory(tlsDir, { mode: 0o700 });
  await writeCertificate(tlsDir, { certPem, keyPem, caPem: ca }, { files });
  log.info("Certificate issued by the region", { folder: tlsDir });
}

async function isDue({ tlsDir, files, clock }: AccessOptions): Promise<boolean> {
  if (!await files.exists(`${tlsDir}/cert.pem`)) return true;
  return clock.now() >= renewAt(parseCertificate(await files.readText(`${tlsDir}/cert.pem`)));
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
