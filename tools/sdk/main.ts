import { resolve } from "node:path";
import { ConfigError, defineOptions, parseConfig } from "../../shared/service/mod.ts";
import { buildDeviceSdk } from "./build.ts";
import { packDeviceSdk } from "./pack.ts";
import { exampleHandler } from "./serve.ts";

const options = defineOptions({
  out: { kind: "path", default: "dist", description: "Folder for the module." },
  package: { kind: "bool", default: false, description: "Make a package for npm, too, with types." },
  serve: { kind: "bool", default: false, description: "Serve the example page with it, on this machine only." },
  port: { kind: "int", default: 8088, min: 0, max: 65_535, description: "Port for the page." },
  help: { kind: "bool", default: false, description: "Print this and end." },
});

const HELP = `deno task sdk [--out dist]             the device SDK as one module for pages: dist/archipelago-device.js
deno task sdk --package               the same, and a package for npm with its types
deno task sdk --serve [--port 8088]   the same, and a page that uses it (docs/sdk.md)
`;

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Makes the module, and serves the page if it is asked to; returns the exit code. */
async function run(args: string[]): Promise<number> {
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
  const module = await buildDeviceSdk({ source, out: config.out });
  const made = config.package ? [module, await packDeviceSdk({ source, out: config.out })] : [module];
  for (const path of made) console.log(`${path} (${((await Deno.stat(path)).size / 1024).toFixed(1)} KiB)`);
  if (!config.serve) return 0;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: config.port,
    handler: exampleHandler({ page: `${source}/sdk/device/example`, module }),
    onListen: ({ port }) => console.log(`http://localhost:${port}/`),
  });
  await server.finished;
  return 0;
}

try {
  Deno.exit(await run(Deno.args));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(error instanceof ConfigError ? 2 : 1);
}
