import type { CrmCommand } from "./process.ts";

const source = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");

/** As `up` starts it: the named set, narrowed to the site's folders and the one program. */
export const fromSource: CrmCommand = ({ folder }, args) => ({
  command: Deno.execPath(),
  args: [
    "run",
    "--quiet",
    "--no-prompt",
    `--config=${source}/deno.json`,
    "-P=crm",
    `--allow-read=${folder},/proc`,
    `--allow-write=${folder}/data`,
    `--allow-run=${Deno.execPath()}`,
    `${source}/tiers/cloudlet/crm/main.ts`,
    ...args,
  ],
  env: { NO_COLOR: "1" },
});
