import { posix } from "node:path";
import { blankSource, lineAt, type SourceText } from "./source_text.ts";

/** A source file, its path relative to the repository. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A broken rule. */
export interface Fault {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** Shared folders that may not import just any other shared folder, and which ones they may. */
const NARROW_FOLDERS: Readonly<Record<string, readonly string[]>> = { http2: [], rpc: ["http2"] };

/** Libraries that are hidden behind an interface of ours, and the folder that hides them. */
const HIDDEN_LIBRARIES: Readonly<Record<string, string>> = { "@grpc/grpc-js": "shared/rpc/" };

/** Checks one file against the rules of who may import whom, and of the code. */
export function checkFile(file: SourceFile): Fault[] {
  const source = blankSource(file.text);
  const fault = (position: number, rule: string): Fault => ({
    path: file.path,
    line: lineAt(file.text, position),
    rule,
  });
  const faults: Fault[] = [];
  for (const { specifier, position, isDynamic } of importsOf(source)) {
    const rule = importFault(file.path, specifier, isDynamic);
    if (rule !== undefined) faults.push(fault(position, `${JSON.stringify(specifier)}: ${rule}`));
  }
  if (!mayUseRuntime(file.path)) {
    for (const match of source.bare.matchAll(/\bDeno\s*(?:\.|\?\.|\[)/g)) {
      faults.push(fault(match.index, "Deno.* belongs in main.ts files, tools, tests and shared/runtime"));
    }
  }
  if (!isTest(file.path) && !file.path.includes("/generated/")) faults.push(...undocumentedExports(file, source.bare));
  faults.push(...anyOutsideBoundary(file, source));
  return faults;
}

/** Every static and dynamic import of a literal, and every re-export. */
export function importsOf(source: SourceText): { specifier: string; position: number; isDynamic: boolean }[] {
  const found: { specifier: string; position: number; isDynamic: boolean }[] = [];
  const forms = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(["'])([^"'\n]+)\1/gm;
  for (const match of source.code.matchAll(forms)) {
    const position = match.index + match[0].lastIndexOf(match[1]! + match[2]!);
    // Inside a string it is no import; there the keyword is blank in the bare text.
    if (source.bare.slice(match.index, position).trim() === "") continue;
    found.push({ specifier: match[2]!, position, isDynamic: match[0].includes("(") });
  }
  return found;
}

/** Tests, and what only tests use: fixtures and conformance suites. */
function isTest(path: string): boolean {
  return /_(?:test|bench)\.tsx?$/.test(path) || /[_/]fixtures?\.ts$/.test(path) || path.startsWith("tests/") ||
    path.includes("/testing/") || path.includes("/conformance/");
}

function mayUseRuntime(path: string): boolean {
  return isTest(path) || path.endsWith("/main.ts") || path.startsWith("tools/") ||
    path.startsWith("shared/runtime/") || path.startsWith("shared/http2/transport/");
}

/** What owns a file: a shared folder, a service, a plugin, or what stands above all of them. */
function ownerOf(path: string): { area: "shared" | "tiers" | "plugins" | "sdk" | "top"; folder: string } {
  const parts = path.split("/");
  if (parts[0] === "shared" && parts.length > 2) return { area: "shared", folder: parts.slice(0, 2).join("/") };
  if (parts[0] === "tiers" && parts.length > 3) return { area: "tiers", folder: parts.slice(0, 3).join("/") };
  if (parts[0] === "plugins" && parts.length > 2) return { area: "plugins", folder: parts.slice(0, 2).join("/") };
  if (parts[0] === "sdk" && parts.length > 2) return { area: "sdk", folder: parts.slice(0, 2).join("/") };
  return { area: "top", folder: parts[0]! };
}

function importFault(path: string, specifier: string, isDynamic: boolean): string | undefined {
  if (/^(?:jsr|npm|https?|data|blob):/.test(specifier)) return "libraries are imported by their name in deno.json";
  // What ships to devices has no dependencies, so that it runs wherever there are web standards.
  const ships = path.startsWith("sdk/") && !isTest(path);
  if (ships && !/^\.{0,2}\//.test(specifier)) return "sdk has no dependencies";
  if (specifier.startsWith("node:")) return undefined;
  if (!/^\.{0,2}\//.test(specifier)) return libraryFault(path, specifier);
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (target.startsWith("..")) return "leads out of the repository";
  const from = ownerOf(path);
  const to = ownerOf(target);
  if (from.area === "top" || from.folder === to.folder) return undefined;
  if (ships) return `${from.folder} may import nothing outside it`;
  // Its tests hold it against the platform itself.
  if (from.area === "sdk") return undefined;
  // What works on infrastructure, or for an operator, loads the plugin that is needed there, and only that.
  const kind = to.folder.startsWith("plugins/operator_") ? "tiers/regional/dme/" : "tiers/cloudlet/";
  if (isDynamic && path.startsWith(kind) && target === `${to.folder}/mod.ts` && to.area === "plugins") {
    return undefined;
  }
  if (to.area !== "shared") return `${from.area} may import shared only`;
  // Tests may use what another folder offers to tests.
  const forTests = isTest(path) && target === `${to.folder}/testing/mod.ts`;
  if (target !== `${to.folder}/mod.ts` && !forTests) return `the public face of ${to.folder} is its mod.ts`;
  const narrow = from.area === "shared" && !isTest(path)
    ? NARROW_FOLDERS[from.folder.slice("shared/".length)]
    : undefined;
  if (narrow !== undefined && !narrow.includes(to.folder.slice("shared/".length))) {
    return `${from.folder} may import ${narrow.length === 0 ? "nothing" : narrow.join(", ")} of shared`;
  }
  return undefined;
}

function libraryFault(path: string, specifier: string): string | undefined {
  const home = HIDDEN_LIBRARIES[specifier];
  if (home === undefined || path.startsWith(home) || path.startsWith("tests/") || path.startsWith("tools/bench/")) {
    return undefined;
  }
  return `only ${home} may know this library`;
}

const DECLARATION =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|enum|const|let|var|namespace)\s+(\w+)/gm;

function undocumentedExports(file: SourceFile, bare: string): Fault[] {
  const lines = file.text.split("\n");
  const faults: Fault[] = [];
  const documented = new Set<string>();
  let lastDocumentedLine = -1;
  for (const match of bare.matchAll(DECLARATION)) {
    const line = lineAt(bare, match.index);
    let above = line - 2;
    while (above >= 0 && /^\s*(?:\/\/ deno-lint-ignore.*|@\w.*)$/.test(lines[above]!)) above--;
    // Overloads, a value with the name of a type, and constants without a blank line between them are explained once.
    const explained = lines[above]?.trimEnd().endsWith("*/") || documented.has(match[1]!) ||
      (match[0].startsWith("export const") && above === lastDocumentedLine);
    if (explained) {
      documented.add(match[1]!);
      lastDocumentedLine = line - 1;
    } else {
      faults.push({ path: file.path, line, rule: `export ${match[1]} has no JSDoc` });
    }
  }
  return faults;
}

/** The linter finds `any`; what it is told to ignore stands at the boundary with a library, in a test, or says why. */
function anyOutsideBoundary(file: SourceFile, source: SourceText): Fault[] {
  const faults: Fault[] = [];
  for (const match of file.text.matchAll(/deno-lint-ignore(?:-file)?[^\n]*\bno-explicit-any\b(?!.* -- \S)/g)) {
    if (isTest(file.path)) break;
    const atBoundary = importsOf(source).some(({ specifier }) => !/^\.{0,2}\//.test(specifier));
    if (!atBoundary) {
      const rule = "any is for files at the boundary with a library; elsewhere say why after --";
      faults.push({ path: file.path, line: lineAt(file.text, match.index), rule });
    }
  }
  return faults;
}
