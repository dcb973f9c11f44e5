import { join } from "node:path";

/** The versions of h2spec, newest first: the module proxy does not hand out every one to everybody. */
const VERSIONS = ["v2.6.0", "v2.2.1+incompatible"];
const MODULE = "github.com/summerwind/h2spec";

async function run(command: string, args: string[], cwd?: string): Promise<{ ok: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "piped" })
    .output();
  return { ok: success, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/**
 * The path of h2spec, built by Go into the user's cache folder when it is not there yet. `H2SPEC` names another one.
 *
 * @throws {Error} when there is no Go, or no version can be had.
 */
export async function findH2spec(): Promise<string> {
  const given = Deno.env.get("H2SPEC");
  if (given !== undefined) return given;
  const folder = join(
    Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? ".", ".cache"),
    "archipelago",
    "h2spec",
  );
  const binary = join(folder, "h2spec");
  if (await Deno.stat(binary).then(() => true, () => false)) return binary;
  const build = await Deno.makeTempDir({ prefix: "h2spec-" });
  const problems: string[] = [];
  try {
    for (const version of VERSIONS) {
      await Deno.writeTextFile(join(build, "go.mod"), "module build\n\ngo 1.21\n");
      const got = await run("go", ["get", `${MODULE}/cmd/h2spec@${version}`], build);
      if (got.ok) {
        await Deno.mkdir(folder, { recursive: true });
        const built = await run("go", ["build", "-o", binary, `${MODULE}/cmd/h2spec`], build);
        if (built.ok) return binary;
        problems.push(built.output);
      } else problems.push(got.output);
    }
  } finally {
    await Deno.remove(build, { recursive: true });
  }
  throw new Error(`h2spec cannot be built:\n${problems.join("\n")}`);
}
