import type { Clock, Environment, Files, RandomSource } from "../runtime/mod.ts";
import { openFileSecrets } from "./file_store.ts";
import { SecretsError, type SecretStore } from "./secret_store.ts";

/** What a secret store works with. */
export interface SecretsDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly environment: Environment;
}

/**
 * Opens a secret store by its URL: `file:PATH`, optionally with `?kek=PATH`.
 *
 * @throws {SecretsError} When the URL names no driver, or the store cannot be opened.
 */
export function openSecrets(url: string, deps: SecretsDeps): Promise<SecretStore> {
  const scheme = /^([a-z]+):/.exec(url)?.[1];
  if (scheme === "file") return openFileSecrets(url, deps);
  return Promise.reject(
    new SecretsError(`Secret store ${JSON.stringify(scheme ?? url)} is not supported; use file:PATH`),
  );
}
