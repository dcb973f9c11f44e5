import { commonOptions } from "./common_options.ts";
import { environmentNameOf, flagNameOf, type OptionSpec, type OptionSpecs } from "./options.ts";

const WIDTH_CHARS = 100;
const INDENT = "      ";

/** The page that `--help` prints. */
export function helpText(name: string, description: string, options: OptionSpecs): string {
  const all = Object.entries(options);
  // A tool has some names in common with services, but not their standing options.
  const standing = Object.keys(commonOptions).every((option) => Object.hasOwn(options, option)) ? commonOptions : {};
  const sections = [
    `${name} — ${description}`,
    section("Options", all.filter(([option]) => !Object.hasOwn(standing, option))),
    section("Options of every service", all.filter(([option]) => Object.hasOwn(standing, option))),
    wrap(sourcesText(options), ""),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function sourcesText(options: OptionSpecs): string {
  const [name = "help"] = Object.keys(options);
  const [flag, variable] = [flagNameOf(name), environmentNameOf(name)];
  if (!Object.hasOwn(options, "config")) return `Each option can also be a variable (${variable} for --${flag}).`;
  return `Each option can also be a variable (${variable} for --${flag}) or a key of the YAML file that --config names ` +
    `(${flag}: …). Flags go before variables, variables before the file.`;
}

function section(title: string, options: readonly (readonly [string, OptionSpec])[]): string {
  if (options.length === 0) return "";
  return [`${title}:`, ...options.map(([name, spec]) => describe(name, spec))].join("\n");
}

function describe(name: string, spec: OptionSpec): string {
  const flag = spec.kind === "bool" ? `--[no-]${flagNameOf(name)}` : `--${flagNameOf(name)} ${placeholder(spec)}`;
  const state = spec.required ? "required" : spec.default === undefined ? "" : `default ${defaultText(spec.default)}`;
  return `  ${flag}${state ? `   (${state})` : ""}\n${wrap(spec.description, INDENT)}`;
}

function placeholder(spec: OptionSpec): string {
  switch (spec.kind) {
    case "string":
      return "TEXT";
    case "int":
      return "NUMBER";
    case "bool":
      return "";
    case "duration":
      return "DURATION";
    case "address":
      return "HOST:PORT";
    case "url":
      return spec.schemes ? spec.schemes.map((scheme) => `${scheme}:…`).join("|") : "URL";
    case "path":
      return "PATH";
    case "list":
      return "A,B,…";
    case "enum":
      return spec.values.join("|");
    case "json":
      return "JSON";
  }
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(",");
  if (value === "") return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH_CHARS) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line].join("\n");
}
