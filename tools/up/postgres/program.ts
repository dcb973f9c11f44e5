import { basename, dirname, join, relative } from "node:path";
import type { PostgresPackage } from "./packages.ts";

/** The programs of one PostgreSQL, ready to run. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** One entry of the list that stands for the symbolic links, which an npm package cannot hold. */
interface LinkEntry {
  /** What the link points to, and where the link belongs; both relative to the package's folder. */
  source: string;
  target: string;
}

/**
 * Lays the package's files out under `programDir/<version>` with their symbolic links, as hard links where the file
 * system allows and as copies where it does not. The package's own folder stays as it is: it may be read-only, shared
 * by many, or out of reach for the account that the server runs under. Idempotent; an interrupted run leaves nothing
 * that looks complete.
 */
export async function layOutPrograms(source: PostgresPackage, programDir: string): Promise<PostgresPrograms> {
  const finished = join(programDir, source.version);
  const programs = { initdb: join(finished, "bin", "initdb"), postgres: join(finished, "bin", "postgres") };
  if (await Deno.stat(programs.postgres).catch(() => undefined) !== undefined) return programs;
  await makeFolder(programDir);
  const draft = await Deno.makeTempDir({ dir: programDir, prefix: "draft-" });
  await Deno.chmod(draft, 0o755);
  for (const folder of ["bin", "lib", "share"]) await copyTree(join(source.nativeDir, folder), join(draft, folder));
  const links = await readLinks(source.nativeDir);
  for (const link of links) await makeLink(draft, link);
  try {
    await Deno.rename(draft, finished);
  } catch (error) {
    // Somebody else finished the same layout first.
    await Deno.remove(draft, { recursive: true });
    if (await Deno.stat(programs.postgres).catch(() => undefined) === undefined) throw error;
  }
  return programs;
}

async function copyTree(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copyTree(source, target);
    else if (entry.isFile) await linkOrCopy(source, target);
  }
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  const { mode } = await Deno.stat(source);
  const everybodyReads = ((mode ?? 0) & 0o004) !== 0;
  if (everybodyReads && await Deno.link(source, target).then(() => true, () => false)) return;
  await Deno.copyFile(source, target);
  await Deno.chmod(target, ((mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644);
}

async function readLinks(nativeDir: string): Promise<LinkEntry[]> {
  const text = await Deno.readTextFile(join(nativeDir, "pg-symlinks.json")).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "[]";
    throw error;
  });
  return JSON.parse(text) as LinkEntry[];
}

async function makeLink(root: string, entry: LinkEntry): Promise<void> {
  const [source, target] = [inside(root, entry.source), inside(root, entry.target)];
  try {
    await Deno.symlink(relative(dirname(target), source), target);
  } catch (error) {
    // Already there when the package came with the link made.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Entries start with `native/`, the package's name for the folder that becomes `root`. */
function inside(root: string, path: string): string {
  const parts = path.split("/").slice(1);
  if (parts.length === 0 || parts.includes("..")) throw new Error(`Link ${basename(path)} leads out of the package`);
  return join(root, ...parts);
}

async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  await Deno.chmod(path, 0o755);
}
