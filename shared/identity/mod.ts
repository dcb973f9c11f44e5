/**
 * Who is who between services: a certificate authority with one intermediate per tier, certificates that name tier,
 * region, cloudlet and service, and the check of a peer's certificate against a rule.
 *
 * @module
 */
export type { CloudletName, Identity, Tier } from "./identity.ts";
export { IdentityError, identityName, identityUri, parseIdentityUri, TRUST_DOMAIN } from "./identity.ts";
export type { CertificateFacts, IssuerTier } from "./certificate_facts.ts";
export { parseCertificate, splitPem } from "./certificate_facts.ts";
export type { PeerPattern, PeerRule } from "./verify_peer.ts";
export { PeerRefusedError, verifyPeer } from "./verify_peer.ts";
export type {
  CaDeps,
  CertificateAuthority,
  CloudletIssuer,
  IssuedCertificate,
  IssueOptions,
  IssuePublicOptions,
} from "./authority.ts";
export { createCa, openCloudletIssuer } from "./authority.ts";
export type { CertificateFolderOptions } from "./certificate_folder.ts";
export { renewAt, writeCertificate } from "./certificate_folder.ts";
export type { LoadDeps, LoadedCertificate, LoadedIdentity } from "./load.ts";
export { loadIdentity, loadServerCertificate } from "./load.ts";
