import type { Clock, RandomSource } from "../runtime/mod.ts";
import type { SecretStore } from "../secrets/mod.ts";
import { type AuthorityKeys, loadAuthorities } from "./authority_keys.ts";
import type { IssuerTier } from "./certificate_facts.ts";
import { type Identity, identityName, identityUri } from "./identity.ts";
import { encodePem, exportKey, type Issued, KEY_ALGORITHM, sign } from "./x509.ts";

/** What an authority works with. */
export interface CaDeps {
  /** Keeps the keys under `ca/…`. */
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Names that a certificate gets beside those it always has. */
export interface IssueOptions {
  readonly identity: Identity;
  /** Beside `localhost`. */
  readonly dnsNames?: readonly string[];
  /** Beside 127.0.0.1 and ::1. */
  readonly ipAddresses?: readonly string[];
  /** @default 72 hours */
  readonly ttlMs?: number;
}

/** A server certificate for those who are no services of the platform. */
export interface IssuePublicOptions {
  /** @default the first DNS name */
  readonly commonName?: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** @default 90 days */
  readonly ttlMs?: number;
}

/** A certificate with its key; all PEM. */
export interface IssuedCertificate {
  /** The certificate and its intermediate. */
  readonly certPem: string;
  readonly keyPem: string;
  /** The root. */
  readonly caPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serial: string;
}

/** Issues certificates. */
export interface CertificateAuthority {
  readonly rootPem: string;
  /** For a service: good for both ends of a connection, issued by its tier's intermediate. */
  issue(options: IssueOptions): Promise<IssuedCertificate>;
  /** For a port that devices and people use: good for servers only, and no service's identity. */
  issuePublic(options: IssuePublicOptions): Promise<IssuedCertificate>;
}

const HOUR_MS = 3_600_000;
const DEFAULT_TTL_MS = 72 * HOUR_MS;
const DEFAULT_PUBLIC_TTL_MS = 90 * 24 * HOUR_MS;
/** Certificates begin a little in the past, for peers whose clocks are behind. */
const BACKDATE_MS = 5 * 60_000;

/**
 * Opens the platform's authority; the first caller makes it. Its keys stay in the secret store.
 *
 * @throws {SecretsError} When the store cannot be used.
 */
export async function createCa(deps: CaDeps): Promise<CertificateAuthority> {
  const keys = await loadAuthorities(deps);
  return {
    rootPem: keys.rootPem,
    issue: ({ identity, dnsNames = [], ipAddresses = [], ttlMs = DEFAULT_TTL_MS }) =>
      issue(deps, keys, identity.tier, {
        commonName: identityName(identity).slice(0, 64),
        uris: [identityUri(identity)],
        dnsNames: unique(["localhost", ...dnsNames]),
        ipAddresses: unique(["127.0.0.1", "::1", ...ipAddresses]),
        ttlMs,
      }),
    issuePublic: (
      { dnsNames, ipAddresses = [], ttlMs = DEFAULT_PUBLIC_TTL_MS, commonName = dnsNames[0] ?? "server" },
    ) =>
      issue(deps, keys, "public", {
        commonName: commonName.slice(0, 64),
        uris: [],
        dnsNames: unique(dnsNames),
        ipAddresses: unique(ipAddresses),
        ttlMs,
      }),
  };
}

interface Names {
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly ttlMs: number;
}

async function issue(deps: CaDeps, keys: AuthorityKeys, tier: IssuerTier, names: Names): Promise<IssuedCertificate> {
  const issuer = keys.intermediates[tier];
  const nowMs = deps.clock.now();
  const pair = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
  const issued: Issued = await sign({
    ...names,
    issuer,
    publicKey: pair.publicKey,
    serial: deps.random.bytes(16),
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + names.ttlMs,
    usage: tier === "public" ? "server" : "both",
  });
  return {
    certPem: encodePem("CERTIFICATE", issued.der) + issuer.certPem,
    keyPem: await exportKey(pair.privateKey),
    caPem: keys.rootPem,
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
    serial: issued.serial,
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
