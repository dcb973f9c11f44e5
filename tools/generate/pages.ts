// Second step of `deno task generate`: a page of docs for every object. It reads the typed code that the first has written.
import { objectPages } from "./object_pages.ts";

const FOLDER = new URL("../../docs/objects/", import.meta.url);

async function main(checkOnly: boolean): Promise<number> {
  const pages = new Map(objectPages().map(({ path, text }) => [path, text]));
  const faults: string[] = [];
  await Deno.mkdir(FOLDER, { recursive: true });
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (pages.has(name)) continue;
    faults.push(`${name} is left over`);
    if (!checkOnly) await Deno.remove(new URL(name, FOLDER));
  }
  for (const [path, text] of pages) {
    const url = new URL(path, FOLDER);
    const current = await Deno.readTextFile(url).catch(() => undefined);
    if (current === text) continue;
    faults.push(`${path} is ${current === undefined ? "missing" : "stale"}`);
    if (!checkOnly) await Deno.writeTextFile(url, text);
  }
  if (checkOnly && faults.length > 0) {
    console.error(
      `Pages of objects are not what the .proto files say; run "deno task generate":\n  ${faults.join("\n  ")}`,
    );
    return 1;
  }
  if (!checkOnly) console.log(`${pages.size} pages of objects, ${faults.length} changed.`);
  return 0;
}

Deno.exit(await main(Deno.args.includes("--check")));
