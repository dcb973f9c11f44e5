/** Where a service runs. */
export type Tier = "global" | "regional" | "cloudlet";

/** A site and the operator it belongs to. */
export interface CloudletName {
  readonly organization: string;
  readonly name: string;
}

/** Who a service is. */
export type Identity =
  | { readonly tier: "global"; readonly service: string }
  | { readonly tier: "regional"; readonly region: string; readonly service: string }
  | { readonly tier: "cloudlet"; readonly region: string; readonly cloudlet: CloudletName; readonly service: string };

/** The platform's trust domain (SPIFFE-ID, 2.1). */
export const TRUST_DOMAIN = "archipelago";

/** A name that is no identity. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

/** Longest part of a name, in characters; names of objects are shorter. */
const MAX_PART_CHARS = 200;

/**
 * The URI that a certificate carries, such as `spiffe://archipelago/region/eu/service/dme`.
 *
 * @throws {IdentityError} When a part is empty or too long.
 */
export function identityUri(identity: Identity): string {
  return `spiffe://${TRUST_DOMAIN}/${path(identity, encodePart)}`;
}

/** The same for people, without the scheme: `region/eu/service/dme`. */
export function identityName(identity: Identity): string {
  return path(identity, (part) => part);
}

function path(identity: Identity, part: (text: string) => string): string {
  const service = `service/${part(identity.service)}`;
  switch (identity.tier) {
    case "global":
      return `global/${service}`;
    case "regional":
      return `region/${part(identity.region)}/${service}`;
    case "cloudlet": {
      const { organization, name } = identity.cloudlet;
      return `region/${part(identity.region)}/cloudlet/${part(organization)}/${part(name)}/${service}`;
    }
  }
}

/**
 * Reads what {@linkcode identityUri} writes, and only that form: two texts never mean the same identity.
 *
 * @throws {IdentityError} When it is anything else.
 */
export function parseIdentityUri(uri: string): Identity {
  const prefix = `spiffe://${TRUST_DOMAIN}/`;
  const identity = uri.startsWith(prefix)
    ? identityOfPath(uri.slice(prefix.length).split("/").map(decodePart))
    : undefined;
  if (!identity || identityUri(identity) !== uri) {
    throw new IdentityError(
      `${JSON.stringify(uri.slice(0, MAX_PART_CHARS))} is not the name of a service of this platform`,
    );
  }
  return identity;
}

function identityOfPath(parts: readonly string[]): Identity | undefined {
  const [a, b, c, d, e, f, g] = parts as [string, string, string, string, string, string, string];
  if (parts.length === 3 && a === "global" && b === "service") return { tier: "global", service: c };
  if (a !== "region") return undefined;
  if (parts.length === 4 && c === "service") return { tier: "regional", region: b, service: d };
  if (parts.length !== 7 || c !== "cloudlet" || f !== "service") return undefined;
  return { tier: "cloudlet", region: b, cloudlet: { organization: d, name: e }, service: g };
}

/** Percent-encodes all but RFC 3986's unreserved characters. */
function encodePart(text: string): string {
  if (text === "" || text.length > MAX_PART_CHARS || !text.isWellFormed()) {
    throw new IdentityError(`${JSON.stringify(text.slice(0, MAX_PART_CHARS))} cannot be part of a service's name`);
  }
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    // Dots alone would mean a step in a path.
    .replace(/^\.{1,2}$/, (dots) => "%2E".repeat(dots.length));
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new IdentityError(`${JSON.stringify(text.slice(0, MAX_PART_CHARS))} is not percent-encoded`);
  }
}
