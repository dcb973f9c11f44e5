import { MAX_PAGE_OBJECTS } from "../../shared/schema/mod.ts";
import { UsageError } from "./failure.ts";
import { didYouMean } from "./suggest.ts";

/** Form of the output. */
export type OutputFormat = "table" | "json" | "json-compact" | "yaml";

/** What the flags say. */
export interface Flags {
  addr?: string;
  ca?: string;
  up?: string;
  skipVerify: boolean;
  token?: string;
  data?: string;
  dataFile?: string;
  output?: OutputFormat;
  /** Prints whole objects where a message would do. */
  parsable: boolean;
  /** Most objects that a show prints. */
  limit?: number;
  /** Token of the page before. */
  continueAt?: string;
  /** Only checks and tells. */
  dryRun: boolean;
  /** Deletes what an applied document does not name. */
  prune: boolean;
  /** Goes on with what is written from now on. */
  follow: boolean;
  /** Prints items as they arrive; otherwise all at the end. */
  stream: boolean;
  debug: boolean;
  help: boolean;
}

/** A flag as the help shows it. */
export interface FlagHelp {
  readonly names: readonly string[];
  /** What follows the flag; none: the flag stands alone. */
  readonly value?: string;
  readonly doc: string;
}

const FORMATS: readonly OutputFormat[] = ["table", "json", "json-compact", "yaml"];

/** All flags, in the order of the help. */
export const FLAGS: readonly FlagHelp[] = [
  { names: ["--addr"], value: "URL", doc: "master controller; default: the one of --up, else https://127.0.0.1:9900" },
  { names: ["--up"], value: "FILE", doc: "file of a running platform; default: ./data/up.json where it exists" },
  { names: ["--ca"], value: "FILE", doc: "trusted certificate authority, PEM; default: the one of --up" },
  { names: ["--skipverify"], doc: "take any certificate" },
  { names: ["--token"], value: "TOKEN", doc: "login token; default: the variable TOKEN, else ~/.mctoken" },
  { names: ["--data"], value: "TEXT", doc: "request as JSON or YAML, instead of arguments" },
  { names: ["--datafile"], value: "FILE", doc: "request from a file of JSON or YAML, instead of arguments" },
  {
    names: ["--output", "--output-format"],
    value: "FORM",
    doc: "table, json, json-compact or yaml; default: table on a terminal, else yaml",
  },
  { names: ["--parsable"], doc: "print whole objects where a message would do" },
  { names: ["--output-stream"], value: "BOOL", doc: "print items as they arrive; default: true" },
  { names: ["--limit"], value: "N", doc: "show: print one page of so many objects, at most 10000" },
  { names: ["--continue"], value: "TOKEN", doc: "show: go on where the page before ended" },
  { names: ["--dry-run"], doc: "check everything and tell what would be done; change nothing" },
  { names: ["--prune"], doc: "apply: delete what the document does not name, of its kinds and organizations" },
  { names: ["--follow", "-f"], doc: "appinst logs: go on with what is written from now on, until interrupted" },
  { names: ["--debug"], doc: "print the request as a curl command, without its secrets" },
  { names: ["--help", "-h"], doc: "explain the command" },
];

/** Splits a command line into flags and words; flags may stand anywhere. Throws UsageError. */
export function parseFlags(args: readonly string[]): { flags: Flags; words: string[] } {
  const flags: Flags = {
    skipVerify: false,
    parsable: false,
    dryRun: false,
    prune: false,
    follow: false,
    stream: true,
    debug: false,
    help: false,
  };
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    const split = arg.indexOf("=");
    const name = split < 0 ? arg : arg.slice(0, split);
    const flag = FLAGS.find((flag) => flag.names.includes(name) || flag.names.includes(`-${name}`));
    if (flag === undefined) {
      const names = FLAGS.flatMap((flag) => flag.names);
      throw new UsageError(`unknown flag ${name}${didYouMean(name, names)}`, "All flags: mcctl --help");
    }
    if (flag.value === undefined) {
      if (split >= 0) throw new UsageError(`flag ${name} takes no value`);
      setFlag(flags, flag.names[0]!, "");
      continue;
    }
    const value = split < 0 ? args[++i] : arg.slice(split + 1);
    if (value === undefined) throw new UsageError(`flag ${name} needs a value (${flag.value})`);
    setFlag(flags, flag.names[0]!, value);
  }
  return { flags, words };
}

function setFlag(flags: Flags, name: string, value: string): void {
  switch (name) {
    case "--addr":
      flags.addr = checkedUrl(value);
      return;
    case "--up":
      flags.up = value;
      return;
    case "--ca":
      flags.ca = value;
      return;
    case "--skipverify":
      flags.skipVerify = true;
      return;
    case "--token":
      flags.token = value;
      return;
    case "--data":
      flags.data = value;
      return;
    case "--datafile":
      flags.dataFile = value;
      return;
    case "--output":
      flags.output = FORMATS.find((format) => format === value);
      if (flags.output === undefined) {
        throw new UsageError(`flag ${name} must be one of ${FORMATS.join(", ")}, got ${JSON.stringify(value)}`);
      }
      return;
    case "--parsable":
      flags.parsable = true;
      return;
    case "--output-stream":
      if (value !== "true" && value !== "false") {
        throw new UsageError(`flag ${name} must be true or false, got ${JSON.stringify(value)}`);
      }
      flags.stream = value === "true";
      return;
    case "--limit":
      flags.limit = Number(value);
      if (!/^\d{1,5}$/.test(value) || flags.limit < 1 || flags.limit > MAX_PAGE_OBJECTS) {
        throw new UsageError(`flag --limit must be from 1 to ${MAX_PAGE_OBJECTS}, got ${JSON.stringify(value)}`);
      }
      return;
    case "--continue":
      flags.continueAt = value;
      return;
    case "--dry-run":
      flags.dryRun = true;
      return;
    case "--prune":
      flags.prune = true;
      return;
    case "--follow":
      flags.follow = true;
      return;
    case "--debug":
      flags.debug = true;
      return;
    default:
      flags.help = true;
  }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.username !== "") {
    throw new UsageError(`flag --addr must be an http or https URL, got ${JSON.stringify(text)}`);
  }
  return url.href.replace(/\/+$/, "");
}
