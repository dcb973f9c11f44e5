import type { Agent } from "./agents.ts";
import { launcher, MANIFEST, RUNTIME } from "./launcher.ts";
import { tar, type TarFile } from "./tar.ts";

const EXECUTABLE_MODE = 0o755;
const FILE_MODE = 0o644;

/** Where things are taken from and put. */
export interface BundlePlaces {
  /** Folder of the checkout. */
  readonly source: string;
  /** Folder for the result. */
  readonly out: string;
  /** Runtime to ship, of the target's kind. */
  readonly runtime: string;
}

/**
 * Makes the air-gapped form of an agent: one executable file that holds a launcher, the runtime, the program with all
 * its plugins, and their checksums. Returns its path.
 */
export async function bundleAgent(agent: Agent, { source, out, runtime }: BundlePlaces): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "archipelago-bundle-" });
  try {
    await bundleModules(`${source}/${agent.main}`, `${source}/deno.json`, work);
    const files: TarFile[] = [{ name: RUNTIME, bytes: await Deno.readFile(runtime), mode: EXECUTABLE_MODE }];
    const names = Array.fromAsync(Deno.readDir(work), ({ name }) => name);
    for (const name of (await names).sort()) {
      files.push({ name, bytes: await Deno.readFile(`${work}/${name}`), mode: FILE_MODE });
    }
    const sums = await Promise.all(files.map(async ({ name, bytes }) => `${await sha256(bytes)}  ${name}\n`));
    const manifest = new TextEncoder().encode(sums.join(""));
    files.push({ name: MANIFEST, bytes: manifest, mode: FILE_MODE });
    const head = new TextEncoder().encode(launcher({ agent, manifestSha256: await sha256(manifest) }));
    await Deno.mkdir(out, { recursive: true });
    const path = `${out}/${agent.name}`;
    const file = await Deno.open(`${path}.new`, { write: true, create: true, truncate: true, mode: EXECUTABLE_MODE });
    const payload = new Blob([tar(files)]).stream().pipeThrough(new CompressionStream("gzip"));
    const writer = file.writable.getWriter();
    await writer.write(head);
    writer.releaseLock();
    await payload.pipeTo(file.writable);
    await Deno.rename(`${path}.new`, path);
    return path;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The program as modules without outside imports; what it loads on demand stays in files of its own. */
async function bundleModules(main: string, config: string, outdir: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      `--config=${config}`,
      "--platform=deno",
      "--code-splitting",
      `--outdir=${outdir}`,
      main,
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`The program cannot be bundled: ${new TextDecoder().decode(stderr).trim()}`);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
