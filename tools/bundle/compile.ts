import type { Agent } from "./agents.ts";
import type { BundlePlaces } from "./bundle.ts";

const CHECK_TIMEOUT_MS = 20_000;

/**
 * Makes an executable with `deno compile`. The base runtime comes from DENORT_BIN, or from the network. Returns its
 * path. Throws an error that says what to do when there is no base runtime, or when DENORT_BIN is none.
 */
export async function compileAgent(
  agent: Agent,
  { source, out }: BundlePlaces,
  base: string | undefined,
): Promise<string> {
  if (base !== undefined && !await isFile(base)) throw new Error(`DENORT_BIN names ${base}, which is not a file`);
  await Deno.mkdir(out, { recursive: true });
  const path = `${out}/${agent.name}-compiled`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--no-check",
      "--quiet",
      `--config=${source}/deno.json`,
      "--no-prompt",
      ...agent.permissions.flatMap(compiledFlag),
      ...agent.plugins.map((plugin) => `--include=${source}/${plugin}`),
      `--output=${path}`,
      `${source}/${agent.main}`,
    ],
    env: { NO_COLOR: "1", ...(base === undefined ? {} : { DENORT_BIN: base }) },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(failureText(new TextDecoder().decode(stderr), agent, base));
  await checkProgram(path, agent, base);
  return path;
}

/** A compiled agent knows neither its folders nor its runtime for apps when it is made. */
function compiledFlag(flag: string): string[] {
  if (flag.startsWith("--allow-write=")) return ["--allow-write"];
  if (flag.startsWith("--allow-run=")) return ["--allow-run"];
  return [flag];
}

/** What to do about a failed compilation. */
export function failureText(output: string, agent: Agent, base: string | undefined): string {
  const text = output.trim().split("\n").filter((line) => line !== "").slice(0, 3).join(" ").replace(
    /https?:\/\/\S+/g,
    "its host",
  );
  if (base !== undefined) return `deno compile failed with the base runtime ${base}: ${text}`;
  const network = /denort|download|sending request|dns|connect|resolve|certificate/i.test(output);
  if (!network) return `deno compile failed: ${text}`;
  return [
    `deno compile needs the base runtime "denort" of Deno ${Deno.version.deno}, which cannot be fetched from here.`,
    `Either set DENORT_BIN to the path of a denort of exactly that release (from Deno's release files), or run this where there is a network,`,
    `or make the air-gapped form instead: deno task bundle --agent ${agent.name}`,
  ].join("\n");
}

/** A base runtime that is really the full one gives an executable that does not run the program. */
async function checkProgram(path: string, agent: Agent, base: string | undefined): Promise<void> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const output = await new Deno.Command(path, { args: ["--version"], stdin: "null", stderr: "null", signal }).output()
    .catch(() => undefined);
  const version = new TextDecoder().decode(output?.stdout ?? new Uint8Array()).trim();
  if (output?.code === 0 && version.startsWith(`${agent.name} `)) return;
  await Deno.remove(path);
  throw new Error(
    `The executable does not run the program: ${
      base ?? "the base runtime"
    } is not a denort (the "deno" executable itself cannot serve as one)`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
