import { type CertificateAuthority, createCa } from "../../shared/identity/mod.ts";
import {
  type Clock,
  type Environment,
  environmentOf,
  type Files,
  type RandomSource,
} from "../../shared/runtime/mod.ts";
import { ensureSigningKey, openSecrets } from "../../shared/secrets/mod.ts";
import type { Layout } from "./layout.ts";

/** Words of a generated password's alphabet, without characters that look alike. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** 24 of 56 characters: 139 bits. */
const PASSWORD_LENGTH = 24;

/** What `up` makes once and keeps. */
export interface FirstSecrets {
  ca: CertificateAuthority;
  adminPassword: string;
  /** URL that services open the store with. */
  url: string;
  close(): void;
}

/** Opens the secret store; makes authority, signing keys and the administrator's password where they are missing. */
export async function openFirstSecrets(
  layout: Layout,
  url: string,
  regions: readonly string[],
  deps: { files: Files; clock: Clock; random: RandomSource; environment: Environment },
): Promise<FirstSecrets> {
  const { files, random } = deps;
  // Only the key's file counts, as services find the key there too.
  const secrets = await openSecrets(url, { ...deps, environment: environmentOf({}) });
  const ca = await createCa({ secrets, clock: deps.clock, random });
  await ensureSigningKey(secrets, "jwtkeys/mcorm", random);
  for (const region of regions) await ensureSigningKey(secrets, `${region}/jwtkeys/dme`, random);
  await files.writeAtomic(layout.ca, ca.rootPem);
  if (!await files.exists(layout.adminPassword)) {
    await files.writeAtomic(layout.adminPassword, `${generatePassword(random)}\n`, { mode: 0o600 });
  }
  const adminPassword = (await files.readText(layout.adminPassword)).trim();
  return { ca, adminPassword, url, close: () => secrets.close() };
}

/** A password that nobody guesses. */
export function generatePassword(random: RandomSource): string {
  return Array.from({ length: PASSWORD_LENGTH }, () => ALPHABET[random.integer(ALPHABET.length)]).join("");
}

/** Passwords of the demo's users, made when first asked for and kept in a file that only its owner may read. */
export async function demoPasswords(
  layout: Layout,
  users: readonly string[],
  deps: { files: Files; random: RandomSource },
): Promise<Record<string, string>> {
  let known: Record<string, string> = {};
  if (await deps.files.exists(layout.demoUsers)) known = JSON.parse(await deps.files.readText(layout.demoUsers));
  for (const user of users) known[user] ??= generatePassword(deps.random);
  await deps.files.writeAtomic(layout.demoUsers, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
  return known;
}
