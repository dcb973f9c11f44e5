/**
 * Where secrets are kept: versioned values by path, in the manner of Vault's key-value store (version 2).
 *
 * @module
 */
export type {
  GetOptions,
  PutOptions,
  Secret,
  SecretData,
  SecretStore,
  SecretVersion,
  WatchSecretOptions,
} from "./secret_store.ts";
export { openSshAuthority, type SshAuthority, type SshCertificateRequest } from "./ssh_authority.ts";
export { SecretConflictError, SecretsError } from "./secret_store.ts";
export type { SecretsDeps } from "./open.ts";
export { openSecrets } from "./open.ts";
export { fileStoreLocation } from "./file_store.ts";
export type { SigningKey, SigningKeys, SigningKeysOptions, SigningKeySource } from "./signing_keys.ts";
export { ensureSigningKey, rotateSigningKey, signingKeys } from "./signing_keys.ts";
