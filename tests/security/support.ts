import { environmentOf, systemClock, systemFiles, systemRandom } from "../../shared/runtime/mod.ts";
import {
  type CertificateAuthority,
  createCa,
  type Identity,
  type IssuedCertificate,
  writeCertificate,
} from "../../shared/identity/mod.ts";
import { ensureSigningKey, openSecrets } from "../../shared/secrets/mod.ts";
import { type OptionSpecs, type ServiceDefinition, startService } from "../../shared/service/mod.ts";
import type { LogRecord } from "../../shared/telemetry/mod.ts";

/** Region of the services under test. */
export const REGION = "eu";

/** An authority, and a folder that ends with the test. */
export interface Ground {
  readonly folder: string;
  readonly ca: CertificateAuthority;
  /** URL of the secret store. */
  readonly secrets: string;
  /** An authority that nobody trusts. */
  strangers(): Promise<CertificateAuthority>;
  /** Writes a service's certificate into a folder and gives its path. */
  certificateFolder(name: string, identity: Identity): Promise<string>;
  /** The same for a public port. */
  publicFolder(name: string): Promise<string>;
}

/** Runs `work` on fresh ground. */
export async function onGround(work: (ground: Ground) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "archipelago-security-" });
  const deps = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment: environmentOf({}) };
  const authority = async (name: string) =>
    createCa({ ...deps, secrets: await openSecrets(`file:${folder}/${name}`, deps) });
  const write = async (name: string, issued: IssuedCertificate) => {
    await writeCertificate(`${folder}/${name}`, issued, deps);
    return `${folder}/${name}`;
  };
  const ca = await authority("secrets");
  const secrets = `file:${folder}/secrets`;
  await ensureSigningKey(await openSecrets(secrets, deps), `${REGION}/jwtkeys/dme`, deps.random);
  try {
    await work({
      folder,
      ca,
      secrets,
      strangers: () => authority("strangers"),
      certificateFolder: async (name, identity) => await write(name, await ca.issue({ identity })),
      publicFolder: async (name) =>
        await write(name, await ca.issuePublic({ dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] })),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A service in this process and what it logged. */
export interface Watched {
  readonly addresses: Readonly<Record<string, string>>;
  readonly records: LogRecord[];
  readonly ready: Promise<void>;
  /** Settles when the service gives up. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts a service as its own process would, and keeps its log. */
export async function startWatched<O extends OptionSpecs>(
  definition: ServiceDefinition<O>,
  args: readonly string[],
): Promise<Watched> {
  const records: LogRecord[] = [];
  const running = await startService<OptionSpecs>(definition as unknown as ServiceDefinition<OptionSpecs>, {
    args: [...args, "--grace=1s"],
    env: environmentOf({}),
    sink: (line) => void records.push(JSON.parse(line)),
  });
  const { addresses, ready, failed } = running;
  return { addresses, records, ready, failed, stop: () => running.stop() };
}

/** Waits until a condition holds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
