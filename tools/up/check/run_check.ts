import { standardError, standardOutput, systemClock } from "../../../shared/runtime/mod.ts";
import { demoWorld } from "../demo/mod.ts";
import { UpError } from "../failure.ts";
import { layoutOf } from "../layout.ts";
import type { UpConfig } from "../options.ts";
import type { Platform } from "../platform.ts";
import { freePortBase } from "../ports.ts";
import { doMainJob } from "./main_job.ts";

/**
 * Starts a platform with the demo in a fresh folder on free ports, does the main job once and stops everything.
 * @returns 0 when all of it went well, 1 when not.
 */
export async function runCheck(
  config: UpConfig,
  start: (config: UpConfig, signal: AbortSignal) => Promise<Platform>,
  signal: AbortSignal,
): Promise<number> {
  if (!config.demo) throw new UpError("--check needs --demo: it is the demo that is checked.");
  const folder = await Deno.makeTempDir({ prefix: "archipelago-check-" });
  const out = standardOutput();
  let code = 1;
  let platform: Platform | undefined;
  try {
    // the database runs as another user, who must get through
    await Deno.chmod(folder, 0o711);
    const data = `${folder}/data`;
    platform = await start({ ...config, data, portBase: freePortBase() }, signal);
    const layout = layoutOf(data);
    const developer = demoWorld().developers[0]!.user;
    const passwords = JSON.parse(await Deno.readTextFile(layout.demoUsers)) as Record<string, string>;
    await doMainJob({
      info: platform.info(),
      ca: await Deno.readTextFile(layout.ca),
      developer: { user: developer, password: passwords[developer]! },
      clock: systemClock(),
      signal,
      did: (text) => out.write(`  ${text}\n`),
    });
    code = 0;
  } catch (error) {
    if (signal.aborted) throw error;
    standardError().write(`up: check: ${error instanceof Error ? error.message : error}\n`);
  } finally {
    await platform?.stop();
    await Deno.remove(folder, { recursive: true });
  }
  out.write(
    code === 0 ? "The main job works. Everything has stopped.\n" : "The main job failed. Everything has stopped.\n",
  );
  return code;
}
