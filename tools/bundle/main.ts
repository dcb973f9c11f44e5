import { ConfigError, defineOptions, parseConfig } from "../../shared/service/mod.ts";
import { resolve } from "node:path";
import { agentOf } from "./agents.ts";
import { bundleAgent } from "./bundle.ts";
import { compileAgent } from "./compile.ts";

const options = defineOptions({
  agent: { kind: "string", default: "crm", description: "Agent to make." },
  out: { kind: "path", default: "dist", description: "Folder for the result." },
  runtime: {
    kind: "path",
    description: "Runtime to ship. Default: the one that runs this. For another system, its deno.",
  },
  help: { kind: "bool", default: false, description: "Print this and end." },
});

const HELP =
  `deno task bundle [--agent crm|dme] [--out dist] [--runtime PATH]   one self-extracting executable for sites without network
deno task compile [--agent crm|dme] [--out dist]                  one executable by deno compile; DENORT_BIN names its base runtime
`;

/** Makes what is asked for; returns the exit code. */
async function run([form, ...args]: string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const config = await parseConfig(options, {
    args,
    env: { get: () => undefined },
    readFile: (path) => Deno.readTextFile(path),
    resolvePath: (path) => resolve(path),
  });
  const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
  const places = { source, out: config.out, runtime: config.runtime ?? Deno.execPath() };
  const agent = agentOf(config.agent);
  const path = form === "compile"
    ? await compileAgent(agent, places, Deno.env.get("DENORT_BIN") || undefined)
    : await bundleAgent(agent, places);
  const { size } = await Deno.stat(path);
  console.log(`${path} (${(size / 1024 / 1024).toFixed(1)} MiB)`);
  return 0;
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(error instanceof ConfigError ? 2 : 1);
}
