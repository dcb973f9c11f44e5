import type { Clock, RandomSource } from "../runtime/mod.ts";
import type { SecretStore } from "../secrets/mod.ts";
import { loadAuthorities, loadIntermediate } from "./authority_keys.ts";
import { type Identity, identityName, identityUri } from "./identity.ts";
import { encodePem, exportKey, type Issued, KEY_ALGORITHM, sign, type Signer } from "./x509.ts";

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
  const { rootPem, intermediates } = await loadAuthorities(deps);
  return {
    rootPem,
    issue: (options) => issueService(deps, { rootPem, signer: intermediates[options.identity.tier] }, options),
    issuePublic: (options) => issueServer(deps, { rootPem, signer: intermediates.public }, options),
  };
}

/** Issues what services of cloudlets need, and nothing that could pass for a service of another tier. */
export interface CloudletIssuer {
  readonly rootPem: string;
  issue(
    options: Omit<IssueOptions, "identity"> & { identity: Identity & { tier: "cloudlet" } },
  ): Promise<IssuedCertificate>;
  issuePublic(options: IssuePublicOptions): Promise<IssuedCertificate>;
  /** Certificate of the intermediate `cloudlet` or `public`, PEM; undefined for any other. */
  chainOf(issuer: string): string | undefined;
}

/**
 * Opens the part of the authority that the region's controllers hold: two intermediates, without the root's key.
 *
 * @param rootPem the root's certificate, as the controller trusts it itself
 * @throws {SecretsError} When the authority has not been made, or the store cannot be used.
 */
export async function openCloudletIssuer(deps: CaDeps, rootPem: string): Promise<CloudletIssuer> {
  const signers = {
    cloudlet: await loadIntermediate(deps, "cloudlet"),
    public: await loadIntermediate(deps, "public"),
  };
  return {
    rootPem,
    issue: (options) => issueService(deps, { rootPem, signer: signers.cloudlet }, options),
    issuePublic: (options) => issueServer(deps, { rootPem, signer: signers.public }, options),
    chainOf: (issuer) => Object.hasOwn(signers, issuer) ? signers[issuer as keyof typeof signers].certPem : undefined,
  };
}

interface Issuer {
  readonly rootPem: string;
  readonly signer: Signer;
}

function issueService(
  deps: CaDeps,
  issuer: Issuer,
  { identity, dnsNames = [], ipAddresses = [], ttlMs = DEFAULT_TTL_MS }: IssueOptions,
): Promise<IssuedCertificate> {
  return issue(deps, issuer, "both", {
    commonName: identityName(identity).slice(0, 64),
    uris: [identityUri(identity)],
    dnsNames: unique(["localhost", ...dnsNames]),
    ipAddresses: unique(["127.0.0.1", "::1", ...ipAddresses]),
    ttlMs,
  });
}

function issueServer(
  deps: CaDeps,
  issuer: Issuer,
  { dnsNames, ipAddresses = [], ttlMs = DEFAULT_PUBLIC_TTL_MS, commonName = dnsNames[0] ?? "server" }:
    IssuePublicOptions,
): Promise<IssuedCertificate> {
  return issue(deps, issuer, "server", {
    commonName: commonName.slice(0, 64),
    uris: [],
    dnsNames: unique(dnsNames),
    ipAddresses: unique(ipAddresses),
    ttlMs,
  });
}

interface Names {
  readonly commonName: string;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly ttlMs: number;
}

async function issue(
  deps: CaDeps,
  { rootPem, signer }: Issuer,
  usage: "both" | "server",
  names: Names,
): Promise<IssuedCertificate> {
  const nowMs = deps.clock.now();
  const pair = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
  const issued: Issued = await sign({
    ...names,
    issuer: signer,
    publicKey: pair.publicKey,
    serial: deps.random.bytes(16),
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: nowMs + names.ttlMs,
    usage,
  });
  return {
    certPem: encodePem("CERTIFICATE", issued.der) + signer.certPem,
    keyPem: await exportKey(pair.privateKey),
    caPem: rootPem,
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
    serial: issued.serial,
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
