import { splitWords } from "../exec/mod.ts";
import { mapping, type Report } from "./fields.ts";

/** A port that a service publishes. */
export interface ComposePort {
  readonly protocol: "tcp" | "udp";
  /** Port of the app, as access_ports names it. */
  readonly published: number;
  /** Port on which the container listens. */
  readonly target: number;
}

/** A named volume in a service. */
export interface ComposeVolume {
  readonly volume: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** What becomes of a service that has ended. */
export type ComposeRestart =
  /** It is started again. */
  | { readonly when: "always" }
  /** It runs to its end once. */
  | { readonly when: "never" }
  /** It is started again when it failed, at most so many times in a row; 0: without end. */
  | { readonly when: "on-failure"; readonly times: number };

const MAX_ENTRIES = 200;
const MAX_TEXT_CHARACTERS = 8 * 1024;
const MAX_PORT = 65_535;
/** Most ports of one entry. */
const MAX_RANGE = 1000;
const PORT = /^[0-9]{1,5}$/;
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/;

/** A text that is there. */
export function readText(value: unknown, path: string, report: Report): string | undefined {
  if (typeof value !== "string" || value === "") return report(path, value, "must be a text");
  return plain(value, path, report);
}

/** Words of a command: a list, or a text that is divided as by a shell. Undefined: the image's. */
export function readWords(value: unknown, path: string, report: Report): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") {
    const words = splitWords(value);
    if (typeof words === "string") return report(path, "", words);
    return words.map((word) => plain(word, path, report));
  }
  if (!Array.isArray(value)) return report(path, value, "must be a text or a list of words");
  return texts(value, path, report).map(([at, text]) => plain(text, at, report));
}

/** Variables, as a mapping or as a list of NAME=VALUE. */
export function readEnvironment(value: unknown, path: string, report: Report): Record<string, string> {
  const found: Record<string, string> = {};
  const set = (at: string, name: string, text: string): void => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return report(at, name, "is not the name of a variable");
    if (/^ARCHIPELAGO_/.test(name)) return report(at, name, "this name belongs to the platform");
    found[name] = plain(text, at, report);
  };
  const unset = "needs a value: there is no environment around that could give one";
  if (Array.isArray(value)) {
    for (const [at, entry] of texts(value, path, report)) {
      const [name, ...rest] = entry.split("=");
      if (rest.length === 0) report(at, name, unset);
      else set(at, name!, rest.join("="));
    }
  } else {
    for (const [name, given] of Object.entries(optional(value, path, report))) {
      const at = `${path}.${name}`;
      if (given === null) report(at, name, unset);
      else if (!["string", "number", "boolean"].includes(typeof given)) report(at, name, "must be a text or a number");
      else set(at, name, String(given));
    }
  }
  if (Object.keys(found).length > MAX_ENTRIES) report(path, "", `holds more than ${MAX_ENTRIES} variables`);
  return found;
}

/** Published ports: `"80"`, `"8080:80"`, `"5000-5009:5000-5009/udp"`, or a mapping with target, published and protocol. */
export function readPorts(value: unknown, path: string, report: Report): ComposePort[] {
  return list(value, path, report).flatMap(([at, entry]) => {
    if (typeof entry === "object" && entry !== null) return longPort(entry, at, report);
    if (typeof entry !== "string" && typeof entry !== "number") return report(at, entry, "must be a port") ?? [];
    const [ports, protocol = "tcp", ...rest] = String(entry).split("/");
    const parts = ports!.split(":");
    if (parts.length > 2) {
      return report(at, entry, "must be PORT or PUBLISHED:PORT: the site decides on which addresses it is published") ??
        [];
    }
    if (rest.length > 0) return report(at, entry, "must be PORT or PUBLISHED:PORT, with /tcp or /udp") ?? [];
    return portsOf(parts[0]!, parts.at(-1)!, protocol, at, report);
  });
}

function longPort(entry: object, path: string, report: Report): ComposePort[] {
  const { target, published, protocol = "tcp", ...others } = mapping(entry, path, report) ?? {};
  for (const key of Object.keys(others)) {
    report(`${path}.${key}`, "", "is not supported, use target, published and protocol");
  }
  return portsOf(String(published ?? target), String(target), String(protocol), path, report);
}

function portsOf(published: string, target: string, protocol: string, path: string, report: Report): ComposePort[] {
  const [outer, inner] = [rangeOf(published), rangeOf(target)];
  if (protocol !== "tcp" && protocol !== "udp") return report(path, protocol, "must be tcp or udp") ?? [];
  if (!outer || !inner || outer.last - outer.first !== inner.last - inner.first) {
    const rule = `must be a port from 1 to ${MAX_PORT}, or as many published ones as there are ports`;
    return report(path, `${published}:${target}`, rule) ?? [];
  }
  return Array.from({ length: outer.last - outer.first + 1 }, (_, i) => ({
    protocol,
    published: outer.first + i,
    target: inner.first + i,
  }));
}

function rangeOf(text: string): { first: number; last: number } | undefined {
  const [first = "", last = first, ...rest] = text.split("-");
  if (rest.length > 0 || !PORT.test(first) || !PORT.test(last)) return undefined;
  const range = { first: Number(first), last: Number(last) };
  const isSound = range.first >= 1 && range.last <= MAX_PORT && range.last >= range.first;
  return isSound && range.last - range.first < MAX_RANGE ? range : undefined;
}

/** Named volumes: `data:/path`, `data:/path:ro`, or a mapping of type volume with source, target and read_only. */
export function readVolumes(value: unknown, path: string, report: Report): ComposeVolume[] {
  const found = list(value, path, report).flatMap(([at, entry]) => {
    if (typeof entry === "object" && entry !== null) return longVolume(entry, at, report);
    if (typeof entry !== "string") return report(at, entry, "must be VOLUME:PATH") ?? [];
    const [volume, target, mode, ...rest] = entry.split(":");
    if (/^[/.~]/.test(volume!) && target !== undefined) {
      return report(at, entry, "must name a volume: paths of the site are not for apps") ?? [];
    }
    if (target === undefined || rest.length > 0 || !["ro", "rw", undefined].includes(mode)) {
      return report(at, entry, "must be VOLUME:PATH, with :ro where it is only read") ?? [];
    }
    return volumeOf(volume!, target, mode === "ro", at, report);
  });
  const targets = found.map(({ target }) => target);
  if (new Set(targets).size < targets.length) report(path, "", "has two volumes at one path");
  return found;
}

function longVolume(entry: object, path: string, report: Report): ComposeVolume[] {
  const { type, source, target, read_only: readOnly = false, ...others } = mapping(entry, path, report) ?? {};
  for (const key of Object.keys(others)) {
    report(`${path}.${key}`, "", "is not supported, use type, source, target and read_only");
  }
  if (type !== "volume") {
    return report(`${path}.type`, type, "must be volume: paths and memory of the site are not for apps") ?? [];
  }
  if (typeof readOnly !== "boolean") return report(`${path}.read_only`, readOnly, "must be true or false") ?? [];
  return volumeOf(String(source ?? ""), String(target ?? ""), readOnly, path, report);
}

function volumeOf(volume: string, target: string, readOnly: boolean, path: string, report: Report): ComposeVolume[] {
  if (!VOLUME_NAME.test(volume)) return report(path, volume, "must begin with the name of a volume") ?? [];
  const isSound = /^\/[^\0]*[^\0/]$/.test(target) && !target.split("/").includes("..");
  if (!isSound) return report(path, target, "must be an absolute path in the container, below /") ?? [];
  return [{ volume, target: plain(target, path, report), readOnly }];
}

/** Services that come first: a list, or a mapping whose condition is service_started. */
export function readDependencies(value: unknown, path: string, report: Report): string[] {
  if (Array.isArray(value)) return [...new Set(texts(value, path, report).map(([, name]) => name))];
  return Object.entries(optional(value, path, report)).map(([name, given]) => {
    const { condition = "service_started", ...others } = given === null
      ? {}
      : mapping(given, `${path}.${name}`, report) ?? {};
    if (condition !== "service_started") {
      report(
        `${path}.${name}.condition`,
        condition,
        "must be service_started: the health of services is not waited for",
      );
    }
    for (const key of Object.keys(others)) report(`${path}.${name}.${key}`, "", "is not supported, use condition");
    return name;
  });
}

/** What becomes of a service that has ended. What says nothing is kept running, as every app is. */
export function readRestart(value: unknown, path: string, report: Report): ComposeRestart {
  switch (value) {
    case undefined:
    case null:
    case "always":
    case "unless-stopped":
      return { when: "always" };
    case "no":
    case false:
      return { when: "never" };
  }
  const [, times] = /^on-failure(?::([0-9]{1,3}))?$/.exec(String(value)) ?? [undefined, null];
  if (times !== null) return { when: "on-failure", times: Number(times ?? 0) };
  report(path, value, 'must be always, unless-stopped, on-failure, on-failure:TIMES or "no"');
  return { when: "always" };
}

/** Networks by name; undefined: none are named. */
export function readNetworks(
  value: unknown,
  path: string,
  report: Report,
): { name: string; aliases: string[] }[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return texts(value, path, report).map(([, name]) => ({ name, aliases: [] }));
  return Object.entries(optional(value, path, report)).map(([name, given]) => {
    const { aliases, ...others } = given === null ? {} : mapping(given, `${path}.${name}`, report) ?? {};
    for (const key of Object.keys(others)) report(`${path}.${name}.${key}`, "", "is not supported, use aliases");
    const names = aliases === undefined ? [] : texts(aliases, `${path}.${name}.aliases`, report);
    for (const [at, alias] of names) {
      if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/.test(alias)) {
        report(at, alias, "must be a name of letters, digits and . _ -");
      }
    }
    return { name, aliases: names.map(([, alias]) => alias) };
  });
}

/**
 * A text as it is meant: `$$` is a dollar sign, and there is nothing around that could fill in variables. It may be a secret
 * of the developer, so messages do not show it.
 */
function plain(text: string, path: string, report: Report): string {
  if (text.length > MAX_TEXT_CHARACTERS) report(path, "", `may hold at most ${MAX_TEXT_CHARACTERS} characters`);
  if (text.includes("\0")) report(path, "", "must not hold a zero byte");
  if (/\$/.test(text.replaceAll("$$", ""))) {
    report(path, "", 'holds a variable, and there are none to fill in; a dollar sign is written "$$"');
  }
  return text.replaceAll("$$", "$");
}

function list(value: unknown, path: string, report: Report): [path: string, entry: unknown][] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return report(path, value, "must be a list") ?? [];
  if (value.length > MAX_ENTRIES) report(path, "", `holds more than ${MAX_ENTRIES} entries`);
  return value.slice(0, MAX_ENTRIES).map((entry, index) => [`${path}[${index}]`, entry]);
}

function texts(value: unknown, path: string, report: Report): [path: string, text: string][] {
  return list(value, path, report).flatMap(([at, entry]) => {
    if (typeof entry === "string" || typeof entry === "number") return [[at, String(entry)] as [string, string]];
    return report(at, "", "must be a text") ?? [];
  });
}

function optional(value: unknown, path: string, report: Report): Record<string, unknown> {
  return value === undefined || value === null ? {} : mapping(value, path, report) ?? {};
}
