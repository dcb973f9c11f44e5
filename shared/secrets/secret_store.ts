import type { JsonValue } from "../telemetry/mod.ts";

/** What a secret holds. */
export type SecretData = Readonly<Record<string, JsonValue>>;

/** One version of a secret. */
export interface Secret {
  readonly path: string;
  /** 1 and up; it never goes back, not even when the secret is deleted. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly data: SecretData;
}

/** That a version can be read. */
export interface SecretVersion {
  readonly version: number;
  readonly createdAtMs: number;
}

/** Which version to read. */
export interface GetOptions {
  /** @default the newest */
  readonly version?: number;
}

/** Under which condition to write. */
export interface PutOptions {
  /** The version that must be the newest; 0 means that there must be none. */
  readonly cas?: number;
}

/** How a secret is watched. */
export interface WatchSecretOptions {
  readonly signal: AbortSignal;
  /** @default 5000 */
  readonly intervalMs?: number;
}

/**
 * Secrets by path. A path is one or more segments of letters, digits and `._-` (none of them `.` or `..`) joined by
 * slashes. There is no listing: every path must be computable, as for a Vault role without that right.
 */
export interface SecretStore {
  /** The secret, or undefined when there is none or that version is no longer kept. */
  get(path: string, options?: GetOptions): Promise<Secret | undefined>;
  /**
   * Writes a new version; the oldest beyond those kept for the path are dropped.
   *
   * @returns The new version's number.
   * @throws {SecretConflictError} When `cas` does not hold; nothing is written.
   */
  put(path: string, data: SecretData, options?: PutOptions): Promise<number>;
  /** Versions that can be read, newest first. */
  versions(path: string): Promise<SecretVersion[]>;
  /** Drops all versions. @returns Whether there was one. */
  delete(path: string): Promise<boolean>;
  /** The newest version now and after every change; undefined while there is none. Fast changes may be merged. */
  watch(path: string, options: WatchSecretOptions): AsyncIterable<Secret | undefined>;
  close(): void;
}

/** The secret store cannot be used. The message never holds a secret. */
export class SecretsError extends Error {
  override readonly name: string = "SecretsError";
}

/** Somebody else wrote first. */
export class SecretConflictError extends SecretsError {
  override readonly name = "SecretConflictError";
  constructor(readonly path: string, readonly expected: number, readonly actual: number) {
    super(`Secret ${path} is at version ${actual}, not at ${expected} as expected`);
  }
}

/** Versions kept of a secret. */
const KEPT_VERSIONS = 10;
/** Of signing keys only the newest and the one before count, so that a rotated key ends with the tokens it signed. */
const KEPT_SIGNING_VERSIONS = 2;

/** How many versions are kept under a path. */
export function keptVersions(path: string): number {
  return path.split("/").includes("jwtkeys") ? KEPT_SIGNING_VERSIONS : KEPT_VERSIONS;
}

/** Longest path, in characters. */
const MAX_PATH_CHARS = 500;

/** @throws {SecretsError} When the path is none. */
export function checkPath(path: string): void {
  const sound = path.length <= MAX_PATH_CHARS &&
    path.split("/").every((part) => /^(?!\.\.?$)[A-Za-z0-9._-]+$/.test(part));
  if (!sound) {
    throw new SecretsError(
      `Secret path ${JSON.stringify(path.slice(0, 100))} must be segments of [A-Za-z0-9._-] joined by "/"`,
    );
  }
}
