/** Name of the module that pages load. */
export const MODULE = "archipelago-device.js";

/**
 * Makes the device SDK one ES module without imports. Returns its path.
 *
 * @param source folder of the checkout
 * @param out folder for the result
 * @throws {Error} With what the bundler says.
 */
export async function buildDeviceSdk({ source, out }: { source: string; out: string }): Promise<string> {
  await Deno.mkdir(out, { recursive: true });
  const path = `${out}/${MODULE}`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      `--config=${source}/deno.json`,
      "--platform=browser",
      `--output=${path}`,
      `${source}/sdk/device/mod.ts`,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`The SDK cannot be bundled: ${new TextDecoder().decode(stderr).trim()}`);
  return path;
}
