import { parseDocument } from "yaml";
import { mapping, type Report, shown } from "./fields.ts";
import {
  EMPTY_MANIFEST,
  ManifestError,
  type ManifestIssue,
  type NetTarget,
  type ProcessManifest,
  SCRATCH,
} from "./manifest.ts";
import { parseNetTarget } from "./net_target.ts";

/** Longest manifest in characters; a full one has a few hundred. */
const MAX_MANIFEST_CHARACTERS = 64 * 1024;
/** Most entries of one list or map. */
const MAX_ENTRIES = 100;
/** Longest value of a variable in characters. */
const MAX_VALUE_CHARACTERS = 8 * 1024;
/** Below this heap the runtime does not start. */
const MIN_MEMORY_MB = 16;
/** One terabyte: above it the number is a slip of the unit. */
const MAX_MEMORY_MB = 1024 * 1024;

/** Permissions that the runtime knows and that no app may have, with the reason. */
const REFUSED_PERMISSIONS: Readonly<Record<string, string>> = {
  run: "apps may not run programs",
  ffi: "apps may not load native libraries",
  sys: "apps may not inspect the machine",
  import: "apps may not import remote code, the module must be self-contained",
  all: "apps may not have all permissions",
};

/** How a manifest is read. */
export interface ManifestOptions {
  /** Name of the field in messages. @default "deployment_manifest" */
  readonly path?: string;
  /** Memory of the flavor in megabytes, which `memory_mb` may not exceed. */
  readonly flavorMemoryMb?: number;
}

/** What a manifest says, and everything that is wrong with it. */
export interface ManifestResult {
  readonly manifest: ProcessManifest;
  /** Every fault; empty when the manifest is valid. */
  readonly issues: ManifestIssue[];
}

/** Reads a manifest (YAML or JSON) and checks every rule; an empty text asks for nothing. */
export function readProcessManifest(text: string, options: ManifestOptions = {}): ManifestResult {
  const root = options.path ?? "deployment_manifest";
  const issues: ManifestIssue[] = [];
  const report: Report = (path, value, rule) => void issues.push({ path, value: shown(value), rule });
  if (text.trim() === "") return { manifest: EMPTY_MANIFEST, issues };
  if (text.length > MAX_MANIFEST_CHARACTERS) {
    report(root, text, `has ${text.length} characters, at most ${MAX_MANIFEST_CHARACTERS} are allowed`);
    return { manifest: EMPTY_MANIFEST, issues };
  }
  const document = parseYaml(text, root, report);
  if (document === undefined) return { manifest: EMPTY_MANIFEST, issues };
  const fields = mapping(document, root, report) ?? {};
  for (const key of Object.keys(fields)) {
    if (!["permissions", "env", "memory_mb"].includes(key)) {
      report(`${root}.${key}`, fields[key], "unknown key, use permissions, env or memory_mb");
    }
  }
  const manifest: ProcessManifest = {
    permissions: readPermissions(fields.permissions, `${root}.permissions`, report),
    env: readVariables(fields.env, `${root}.env`, report),
    memoryMb: readMemory(fields.memory_mb, `${root}.memory_mb`, options.flavorMemoryMb, report),
  };
  return { manifest, issues };
}

/** Reads a valid manifest. Throws {@linkcode ManifestError} with every fault of an invalid one. */
export function parseProcessManifest(text: string, options: ManifestOptions = {}): ProcessManifest {
  const { manifest, issues } = readProcessManifest(text, options);
  if (issues.length > 0) throw new ManifestError(issues);
  return manifest;
}

function parseYaml(text: string, root: string, report: Report): unknown {
  const document = parseDocument(text, { prettyErrors: true, stringKeys: true, schema: "core" });
  for (const error of document.errors) report(root, "", `is not valid YAML: ${error.message.split("\n")[0]}`);
  if (document.errors.length > 0) return undefined;
  try {
    // aliases can make a small text expand without end
    return document.toJS({ maxAliasCount: 0 }) ?? undefined;
  } catch {
    report(root, "", "aliases are not allowed");
    return undefined;
  }
}

function readPermissions(value: unknown, path: string, report: Report): ProcessManifest["permissions"] {
  const fields = value === undefined ? {} : mapping(value, path, report) ?? {};
  for (const key of Object.keys(fields)) {
    if (["net", "env", "read", "write"].includes(key)) continue;
    report(
      `${path}.${key}`,
      fields[key],
      REFUSED_PERMISSIONS[key] ?? "unknown permission, use net, env, read or write",
    );
  }
  const net: NetTarget[] = [];
  for (const [at, text] of strings(fields.net, `${path}.net`, report)) {
    const target = parseNetTarget(text);
    if ("rule" in target) report(at, text, target.rule);
    else net.push(target);
  }
  const env: string[] = [];
  for (const [at, name] of strings(fields.env, `${path}.env`, report)) {
    const rule = variableRule(name);
    if (rule) report(at, name, rule);
    else env.push(name);
  }
  return {
    net,
    env,
    readScratch: readScratch(fields.read, `${path}.read`, report),
    writeScratch: readScratch(fields.write, `${path}.write`, report),
  };
}

function readScratch(value: unknown, path: string, report: Report): boolean {
  let asked = false;
  for (const [at, text] of strings(value, path, report)) {
    if (text === SCRATCH) asked = true;
    else report(at, text, `only the instance's own folder "${SCRATCH}" can be asked for`);
  }
  return asked;
}

function readVariables(value: unknown, path: string, report: Report): Record<string, string> {
  const fields = value === undefined ? {} : mapping(value, path, report) ?? {};
  const env: Record<string, string> = {};
  if (Object.keys(fields).length > MAX_ENTRIES) report(path, "", `holds more than ${MAX_ENTRIES} variables`);
  for (const [name, given] of Object.entries(fields)) {
    const at = `${path}.${name}`;
    const rule = variableRule(name);
    // values may be secrets of the developer, so messages never show them
    if (rule) report(at, name, rule);
    else if (typeof given !== "string" && typeof given !== "number" && typeof given !== "boolean") {
      report(at, name, "a variable's value must be a text, a number or a boolean");
    } else if (String(given).length > MAX_VALUE_CHARACTERS || String(given).includes("\0")) {
      report(at, name, `a variable's value may hold at most ${MAX_VALUE_CHARACTERS} characters and no zero byte`);
    } else env[name] = String(given);
  }
  return env;
}

function readMemory(value: unknown, path: string, flavorMb: number | undefined, report: Report): number | undefined {
  if (value === undefined) return undefined;
  const most = flavorMb ?? MAX_MEMORY_MB;
  if (typeof value === "number" && Number.isInteger(value) && value >= MIN_MEMORY_MB && value <= most) return value;
  report(
    path,
    value,
    `must be a whole number of megabytes from ${MIN_MEMORY_MB} to ${most}${flavorMb ? " (the flavor's memory)" : ""}`,
  );
  return undefined;
}

function variableRule(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return "is not the name of a variable";
  if (name === "PORT" || /^(?:ARCHIPELAGO|DENO|NODE|LD|V8)_/i.test(name)) return "this name belongs to the platform";
  return undefined;
}

function strings(value: unknown, path: string, report: Report): [path: string, text: string][] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report(path, value, "must be a list; `true` and wildcards are not allowed");
    return [];
  }
  if (value.length > MAX_ENTRIES) report(path, "", `holds more than ${MAX_ENTRIES} entries`);
  const found: [string, string][] = [];
  for (const [index, item] of value.slice(0, MAX_ENTRIES).entries()) {
    if (typeof item === "string") found.push([`${path}[${index}]`, item]);
    else report(`${path}[${index}]`, item, "must be a text");
  }
  return found;
}
