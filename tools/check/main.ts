import { checkFile, type Fault } from "./rules.ts";

const ROOT = new URL("../../", import.meta.url);
const AREAS = ["mod.ts", "shared", "tiers", "plugins", "sdk", "tools", "tests"];
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "data"]);

const GENERATOR = ["--allow-read=shared/schema", "--allow-env", "tools/generate/main.ts"];
const PAGES = ["--allow-read=docs/objects", "--allow-write=docs/objects", "tools/generate/pages.ts"];

const USAGE = `Checks everything that can be checked without running anything.

Usage: deno task check

Steps: formatting, lint, types, stale generated files, and the rules of who may import whom (docs/architecture.md).
`;

interface StepResult {
  name: string;
  ok: boolean;
  output: string;
  seconds: number;
}

async function command(name: string, args: readonly string[]): Promise<StepResult> {
  const start = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return {
    name,
    ok: code === 0,
    output: decoder.decode(stdout) + decoder.decode(stderr),
    seconds: (performance.now() - start) / 1000,
  };
}

async function* sources(path: string): AsyncGenerator<string> {
  const info = await Deno.stat(new URL(path, ROOT)).catch(() => undefined);
  if (info?.isFile && path.endsWith(".ts")) yield path;
  if (!info?.isDirectory) return;
  for await (const entry of Deno.readDir(new URL(`${path}/`, ROOT))) {
    if (!SKIPPED_FOLDERS.has(entry.name)) yield* sources(`${path}/${entry.name}`);
  }
}

async function rules(): Promise<StepResult> {
  const start = performance.now();
  const faults: Fault[] = [];
  let files = 0;
  for (const area of AREAS) {
    for await (const path of sources(area)) {
      files++;
      faults.push(...checkFile({ path, text: await Deno.readTextFile(new URL(path, ROOT)) }));
    }
  }
  const lines = faults.map((fault) => `${fault.path}:${fault.line}: ${fault.rule}`).sort();
  return {
    name: `rules (${files} files)`,
    ok: faults.length === 0,
    output: `${lines.join("\n")}\n`,
    seconds: (performance.now() - start) / 1000,
  };
}

function report(result: StepResult): StepResult {
  console.log(`${result.ok ? "ok    " : "FAILED"} ${result.name}, ${result.seconds.toFixed(1)} s`);
  if (!result.ok) console.log(result.output);
  return result;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    const help = args[0] === "--help";
    (help ? console.log : console.error)(help ? USAGE : `Unknown argument ${args[0]}.\n\n${USAGE}`);
    return help ? 0 : 2;
  }
  // Types take longest and use one core; the rest shares the other.
  const types = command("types", ["check", "--quiet", "."]).then(report);
  const results = [
    report(await rules()),
    report(await command("generated files", ["run", ...GENERATOR, "--check"])),
    report(await command("pages of objects", ["run", ...PAGES, "--check"])),
    report(await command("format", ["fmt", "--check"])),
    report(await command("lint", ["lint", "--quiet"])),
    await types,
  ];
  return results.every((result) => result.ok) ? 0 : 1;
}

Deno.exit(await main(Deno.args));
