import { emitFiles, type Output } from "./emit_file.ts";
import { SchemaError } from "./model.ts";
import { checkOptions, indexTypes } from "./options.ts";
import { parseSources, type Source } from "./parse.ts";

const SCHEMA = new URL("../../shared/schema/", import.meta.url);

/** Folders of .proto files and the prefix under which their files are imported: reflection knows the client API's files by bare names. */
const FOLDERS = [{ folder: "archipelago", prefix: "archipelago/" }, { folder: "dme", prefix: "" }, {
  folder: "queryqos",
  prefix: "",
}];

const USAGE = `Writes shared/schema/generated from shared/schema/proto.

Usage: deno task generate [--check]

  --check   write nothing; fail when a generated file is stale, missing or left over
`;

async function readSources(): Promise<Source[]> {
  const sources: Source[] = [];
  for (const { folder, prefix } of FOLDERS) {
    const directory = new URL(`proto/${folder}/`, SCHEMA);
    const names: string[] = [];
    for await (const entry of Deno.readDir(directory)) if (entry.name.endsWith(".proto")) names.push(entry.name);
    for (const name of names.sort()) {
      const text = await Deno.readTextFile(new URL(name, directory));
      sources.push({ name: prefix + name, folder, module: name.slice(0, -".proto".length).replaceAll("-", "_"), text });
    }
  }
  return sources;
}

async function existing(directory: URL, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (entry.isDirectory) {
        paths.push(...await existing(new URL(`${entry.name}/`, directory), `${prefix}${entry.name}/`));
      } else paths.push(prefix + entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return paths;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const unknown = args.find((arg) => arg !== "--check");
  if (unknown !== undefined) {
    console.error(`Unknown argument ${unknown}.\n\n${USAGE}`);
    return 2;
  }
  const files = parseSources(await readSources());
  checkOptions(files, indexTypes(files));
  return await place(emitFiles(files), args.includes("--check"));
}

async function place(outputs: readonly Output[], checkOnly: boolean): Promise<number> {
  const directory = new URL("generated/", SCHEMA);
  const wanted = new Map(outputs.map((output) => [output.path, output.text]));
  const faults: string[] = [];
  for (const path of await existing(directory)) {
    if (wanted.has(path)) continue;
    faults.push(`${path} is left over`);
    if (!checkOnly) await Deno.remove(new URL(path, directory));
  }
  for (const [path, text] of wanted) {
    const url = new URL(path, directory);
    const current = await Deno.readTextFile(url).catch(() => undefined);
    if (current === text) continue;
    faults.push(`${path} is ${current === undefined ? "missing" : "stale"}`);
    if (checkOnly) continue;
    await Deno.mkdir(new URL(".", url), { recursive: true });
    await Deno.writeTextFile(url, text);
  }
  if (checkOnly && faults.length > 0) {
    console.error(
      `Generated files are not what the .proto files say; run "deno task generate":\n  ${faults.join("\n  ")}`,
    );
    return 1;
  }
  console.log(checkOnly ? "Generated files are current." : `${wanted.size} generated files, ${faults.length} changed.`);
  return 0;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  if (!(error instanceof SchemaError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
