// `deno task notify-tree`: prints who hangs on whom in a running platform, and how each stream stands.
import { parseArgs } from "node:util";
import type { HubView } from "../../shared/notify/mod.ts";
import type { UpInfo } from "../up/info.ts";
import { drawTree, type ParentView } from "./tree.ts";

const USAGE = `Prints the live tree of replication: per stream its lag in revisions, queue, bytes and reconnects.

Usage: deno task notify-tree [--up FILE] [--admin URL]... [--watch]

  --up FILE     what \`deno task up\` wrote about the running platform; default: data/up.json
  --admin URL   admin address of a parent, such as a controller; may be repeated; instead of --up
  --watch       once a second, until Ctrl-C
`;
const ANSWER_MS = 5_000;
const WATCH_MS = 1_000;

async function parents(up: string, admins: readonly string[]): Promise<[string, string][]> {
  if (admins.length > 0) return admins.map((url) => [url, url]);
  const { services } = JSON.parse(await Deno.readTextFile(up)) as UpInfo;
  return services.filter(({ type }) => type === "controller").map(({ name, urls }) => [name, urls["admin"]!]);
}

async function look([name, url]: [string, string]): Promise<ParentView> {
  try {
    const response = await fetch(new URL("/notify", url), { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      return { name, error: `answers with ${response.status}` };
    }
    return { name, view: await response.json() as HubView };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        up: { type: "string", default: "data/up.json" },
        admin: { type: "string", multiple: true, default: [] },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    for (;;) {
      const views = await Promise.all((await parents(values.up, values.admin)).map(look));
      console.log(drawTree(views));
      if (!values.watch) return views.some((view) => view.error !== undefined) ? 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      console.log();
    }
  } catch (error) {
    console.error(`notify-tree: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
