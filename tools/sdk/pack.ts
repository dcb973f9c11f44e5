import { basename, dirname } from "node:path";

/** Name under which programs import the package. */
export const PACKAGE = "@archipelago/device";

/** What is not shipped: tests, what only they use, and the example. */
const NOT_SHIPPED = /_test\.ts$|^testing\/|^example\//;

/**
 * Makes the device SDK a package for npm, with its types. Returns its path.
 *
 * @param source folder of the checkout, whose version it gets
 * @param out folder for the result
 * @throws {Error} With what the packer says.
 */
export async function packDeviceSdk({ source, out }: { source: string; out: string }): Promise<string> {
  const { version, license } = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  const path = `${out}/archipelago-device-${version}.tgz`;
  const work = await Deno.makeTempDir({ prefix: "archipelago-sdk-" });
  try {
    for await (const file of filesOf(`${source}/sdk/device`)) {
      if (NOT_SHIPPED.test(file)) continue;
      await Deno.mkdir(dirname(`${work}/${file}`), { recursive: true });
      await Deno.copyFile(`${source}/sdk/device/${file}`, `${work}/${file}`);
    }
    await Deno.copyFile(`${source}/LICENSE`, `${work}/LICENSE`);
    const config = { name: PACKAGE, version, license, exports: "./mod.ts" };
    await Deno.writeTextFile(`${work}/deno.json`, JSON.stringify(config));
    await Deno.mkdir(out, { recursive: true });
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["pack", "--quiet", "--allow-dirty", "--no-source-maps", `--output=${work}/${basename(path)}`],
      cwd: work,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`The SDK cannot be packed: ${new TextDecoder().decode(stderr).trim()}`);
    await Deno.copyFile(`${work}/${basename(path)}`, path);
    return path;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function* filesOf(folder: string, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesOf(`${folder}/${name}`, `${prefix}${name}/`);
    else yield prefix + name;
  }
}
