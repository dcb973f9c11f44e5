import {
  type Clock,
  environmentOf,
  type RandomSource,
  systemClock,
  systemFiles,
  systemRandom,
} from "../../runtime/mod.ts";
import { openSecrets } from "../../secrets/mod.ts";
import { type CertificateAuthority, createCa } from "../mod.ts";

/** A throw-away authority in a folder that ends with the test. */
export interface AuthorityFixture {
  readonly folder: string;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** An authority of nobody we trust, made the same way. */
  other(): Promise<CertificateAuthority>;
}

/** Runs `work` with a fresh authority. */
export async function withAuthority(
  work: (fixture: AuthorityFixture) => Promise<void>,
  clock: Clock = systemClock(),
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const random = systemRandom();
  const make = async (name: string) => {
    const deps = { files: systemFiles(), clock, random, environment: environmentOf({}) };
    return await createCa({ secrets: await openSecrets(`file:${folder}/${name}`, deps), clock, random });
  };
  try {
    await work({ folder, ca: await make("secrets"), clock, random, other: () => make("other") });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
