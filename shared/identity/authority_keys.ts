import { SecretConflictError, type SecretData, SecretsError } from "../secrets/mod.ts";
import type { CaDeps } from "./authority.ts";
import type { IssuerTier } from "./certificate_facts.ts";
import { createIntermediate, createRoot, exportKey, importKey, KEY_ALGORITHM, type Signer } from "./x509.ts";

/** The root's certificate and the four intermediates. */
export interface AuthorityKeys {
  readonly rootPem: string;
  readonly intermediates: Readonly<Record<IssuerTier, Signer>>;
}

const TIERS: readonly IssuerTier[] = ["global", "regional", "cloudlet", "public"];
const YEAR_MS = 365 * 86_400_000;
const ROOT_TTL_MS = 20 * YEAR_MS;
const INTERMEDIATE_TTL_MS = 10 * YEAR_MS;
const BACKDATE_MS = 3_600_000;

/** Reads the authorities' keys from the secret store, making those that are missing. */
export async function loadAuthorities(deps: CaDeps): Promise<AuthorityKeys> {
  const root = await readOrMake(
    deps,
    "root",
    async (keys, serial, nowMs) => await createRoot(keys, serial, nowMs - BACKDATE_MS, nowMs + ROOT_TTL_MS),
  );
  const made = await Promise.all(TIERS.map(async (tier) => {
    const signer = await readOrMake(
      deps,
      tier,
      (keys, serial, nowMs) =>
        createIntermediate(tier, root, keys.publicKey, serial, nowMs - BACKDATE_MS, nowMs + INTERMEDIATE_TTL_MS),
    );
    return [tier, signer] as const;
  }));
  return { rootPem: root.certPem, intermediates: Object.fromEntries(made) as Record<IssuerTier, Signer> };
}

type Make = (keys: CryptoKeyPair, serial: Uint8Array, nowMs: number) => Promise<string>;

async function readOrMake({ secrets, clock, random }: CaDeps, name: string, make: Make): Promise<Signer> {
  const path = `ca/${name}`;
  const found = await secrets.get(path);
  if (found) return await signerOf(path, found.data);
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
  const certPem = await make(keys, random.bytes(16), clock.now());
  const data = { cert: certPem, key: await exportKey(keys.privateKey) };
  try {
    await secrets.put(path, data, { cas: 0 });
    return { certPem, key: keys.privateKey };
  } catch (error) {
    if (!(error instanceof SecretConflictError)) throw error;
    // Another process made it at the same moment; what it wrote counts.
    const theirs = await secrets.get(path);
    if (!theirs) throw error;
    return await signerOf(path, theirs.data);
  }
}

/** Reads one intermediate. @throws {SecretsError} When nobody has made it yet. */
export async function loadIntermediate(deps: Pick<CaDeps, "secrets">, tier: IssuerTier): Promise<Signer> {
  const path = `ca/${tier}`;
  const found = await deps.secrets.get(path);
  if (found === undefined) {
    throw new SecretsError(`Secret ${path} is missing: the platform's authority has not been made`);
  }
  return await signerOf(path, found.data);
}

async function signerOf(path: string, { cert, key }: SecretData): Promise<Signer> {
  if (typeof cert !== "string" || typeof key !== "string") {
    throw new SecretsError(`Secret ${path} does not hold a certificate and a key`);
  }
  return { certPem: cert, key: await importKey(key) };
}
