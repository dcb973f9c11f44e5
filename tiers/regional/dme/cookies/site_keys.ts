import type { AccessClient } from "../../../../shared/access/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { type SigningKeys, signingKeys } from "../../../../shared/secrets/mod.ts";

/** The question by which a cloudlet's matching engines get their keys. */
const COOKIE_KEYS = "get-dme-cookie-keys";

/** One key as the region gives it. */
interface GivenKey {
  readonly kid: number;
  readonly createdAtMs: number;
  /** The text itself is the key. */
  readonly secret: string;
}

/**
 * Keys of a cloudlet's own, asked of the region by its access key: cookies signed by them are good at the matching
 * engines of that cloudlet alone. They follow the rotation of the region's, and stay good while the region is away.
 */
export function siteCookieKeys(client: Pick<AccessClient, "data">, clock: Clock): SigningKeys {
  let given: readonly GivenKey[] = [];
  const source = {
    async versions() {
      given = parse(new TextDecoder().decode(await client.data(COOKIE_KEYS)));
      return given.map(({ kid, createdAtMs }) => ({ version: kid, createdAtMs }));
    },
    get(path: string, { version }: { version?: number } = {}) {
      const key = given.find(({ kid }) => kid === version);
      return Promise.resolve(
        key && { path, version: key.kid, createdAtMs: key.createdAtMs, data: { secret: key.secret } },
      );
    },
  };
  return signingKeys(source, COOKIE_KEYS, clock, { inBackground: true });
}

/** Throws when it is not what was asked for; the message holds nothing of it. */
function parse(text: string): GivenKey[] {
  const keys: unknown = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  const fits = Array.isArray(keys) &&
    keys.every((key) =>
      Number.isSafeInteger(key?.kid) && typeof key.createdAtMs === "number" && typeof key.secret === "string"
    );
  if (fits) return keys;
  throw new Error(`The region's answer to ${COOKIE_KEYS} is no list of keys`);
}
