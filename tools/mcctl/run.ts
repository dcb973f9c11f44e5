import { parse } from "yaml";
import { fromJson, isJsonObject, issueText, JsonError, type MessageType } from "../../shared/schema/mod.ts";
import { applyHelp, runApply } from "./apply/command.ts";
import { type Call, callItems, curlCommand } from "./call.ts";
import { allCommands, type Command, commandName } from "./commands.ts";
import { bashCompletion } from "./completion.ts";
import { CallError, failureText, UsageError } from "./failure.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { commandHelp, groupHelp, programHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { createPrinter } from "./output/printer.ts";
import { writtenPrinter } from "./output/written.ts";
import { type FileTexts, type JsonObject, namedFiles, parseArguments } from "./parse_arguments.ts";
import { findTarget, type Target } from "./platform_file.ts";
import { didYouMean } from "./suggest.ts";

/** Version of this program. */
export const VERSION = "0.1.0";

const TOKEN_FILE = ".mctoken";

/**
 * Runs one command line. Returns the exit code: 0 when all went well, 1 otherwise; of a command that ran in an instance its
 * own.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let group: string | undefined;
  try {
    const { flags, words } = parseFlags(args);
    if (flags.prune && words[0] !== "apply") throw new UsageError("flag --prune belongs to apply");
    if (words[0] === "apply" && !flags.help) return await apply(words.slice(1), flags, io) ? 0 : 1;
    const commands = allCommands();
    const found = findCommand(commands, words, flags);
    if (typeof found === "string") {
      io.out(`${found}\n`);
      return 0;
    }
    group = found.command.group === "" ? undefined : found.command.group;
    return await execute(found.command, found.rest, flags, io);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CallError)) throw error;
    io.error(`${failureText(error, group)}\n`);
    return 1;
  }
}

/** The command that the words name, or the text of the help that they ask for. Throws UsageError. */
function findCommand(
  commands: readonly Command[],
  words: readonly string[],
  flags: Flags,
): { command: Command; rest: readonly string[] } | string {
  if (words[0] === "help") return findCommand(commands, words.slice(1), { ...flags, help: true });
  const [group, verb] = words;
  if (group === undefined) {
    if (flags.help) return programHelp(commands);
    throw new UsageError("no command given", "All commands: mcctl --help");
  }
  if (group === "apply") return applyHelp();
  if (group === "version") return flags.help ? "Show the version of this program." : `mcctl ${VERSION}`;
  if (group === "completion") return completion(verb, commands, flags);
  const alone = commands.find((command) => command.group === "" && command.verb === group);
  if (alone !== undefined) return flags.help ? commandHelp(alone) : { command: alone, rest: words.slice(1) };
  const own = commands.filter((command) => command.group === group);
  if (own.length === 0) {
    const known = ["apply", "version", "completion", ...commands.map((command) => command.group || command.verb)];
    throw new UsageError(`unknown command "${group}"${didYouMean(group, known)}`, "All commands: mcctl --help");
  }
  if (verb === undefined || verb.includes("=")) {
    if (flags.help || verb === undefined) return groupHelp(group, commands);
    throw new UsageError(
      `${group} needs a verb`,
      `Verbs of ${group}: ${own.map((command) => command.verb).join(", ")}`,
    );
  }
  const command = own.find((command) => command.verb === verb);
  if (command === undefined) {
    const verbs = own.map((command) => command.verb);
    throw new UsageError(
      `unknown command "${group} ${verb}"${didYouMean(verb, verbs)}`,
      `Verbs of ${group}: ${verbs.join(", ")}`,
    );
  }
  return flags.help ? commandHelp(command) : { command, rest: words.slice(2) };
}

function completion(shell: string | undefined, commands: readonly Command[], flags: Flags): string {
  if (flags.help) return "Print the completion for a shell: source <(mcctl completion bash)";
  if (shell !== "bash") {
    throw new UsageError(
      `completion is for bash${shell === undefined ? "" : `, not ${shell}`}`,
      "Use: mcctl completion bash",
    );
  }
  return bashCompletion(commands).trimEnd();
}

async function apply(words: readonly string[], flags: Flags, io: Io): Promise<boolean> {
  const target = await findTarget(flags, io);
  const token = await findToken(flags, io);
  return await runApply(words, flags, io, {
    region: target.regions.length === 1 ? target.regions[0]! : "",
    call(method, body) {
      const trust = { ca: target.ca, skipVerify: flags.skipVerify };
      const call: Call = {
        url: `${target.address}/api/v1/auth/ctrl/${method.name}`,
        body: body as JsonObject,
        token,
        trust,
      };
      if (flags.debug) io.error(`${curlCommand(call, target.caFile)}\n`);
      return callItems(io, call);
    },
  });
}

async function execute(command: Command, words: readonly string[], flags: Flags, io: Io): Promise<number> {
  const target = await findTarget(flags, io);
  const follows = command.args.some(({ name }) => name === "follow");
  if (flags.follow && !follows) throw new UsageError("--follow is for commands that print what goes on");
  const body = await requestBody(command, flags.follow ? [...words, "follow=true"] : words, flags, io, target);
  if (flags.dryRun) {
    if (!command.tries) throw new UsageError(`--dry-run is for commands that change something in a region`);
    body["dryrun"] = true;
  }
  if (flags.limit !== undefined || flags.continueAt !== undefined) {
    if (!command.pages) throw new UsageError("--limit and --continue are for commands that show objects of a region");
    if (flags.limit !== undefined) body["limit"] = flags.limit;
    if (flags.continueAt !== undefined) body["continue"] = flags.continueAt;
  }
  const isOpen = !command.path.startsWith("auth/");
  const call: Call = {
    url: `${target.address}/api/v1/${command.path}`,
    body,
    token: isOpen ? undefined : await findToken(flags, io),
    trust: { ca: target.ca, skipVerify: flags.skipVerify },
  };
  if (flags.debug) io.error(`${curlCommand(call, target.caFile)}\n`);
  if (command.savesToken) {
    await saveToken(io, call);
    return 0;
  }
  if (command.writes && flags.output === undefined) return await printWritten(io, call);
  const printer = createPrinter(io, flags, command);
  try {
    for await (const item of callItems(io, call)) {
      const next = command.pages ? nextPage(item) : undefined;
      if (next === undefined) printer.item(item);
      else io.error(`There is more: --limit ${flags.limit} --continue ${next}\n`);
    }
  } finally {
    // What came before a failure is worth seeing too.
    printer.end();
  }
  return 0;
}

/** Prints what an instance writes. Returns the exit code of the command that wrote it. */
async function printWritten(io: Io, call: Call): Promise<number> {
  const printer = writtenPrinter(io);
  let code: number | undefined;
  try {
    for await (const item of callItems(io, call)) printer.item(item);
  } finally {
    code = printer.end();
  }
  if (code === undefined) throw new CallError(0, "", "the output broke off");
  return code;
}

/** The token of a page's last document. */
function nextPage(item: unknown): string | undefined {
  if (!isJsonObject(item) || Object.keys(item).length !== 1) return undefined;
  return typeof item["continue"] === "string" ? item["continue"] : undefined;
}

async function requestBody(
  command: Command,
  words: readonly string[],
  flags: Flags,
  io: Io,
  target: Target,
): Promise<JsonObject> {
  const regionWords = command.regional ? words.filter((word) => word.startsWith("region=")) : [];
  const rest = words.filter((word) => !regionWords.includes(word));
  const region = regionWords.at(-1)?.slice("region=".length) ?? (target.regions.length === 1 ? target.regions[0]! : "");
  const data = await givenData(flags, io);
  if (data !== undefined) {
    if (rest.length > 0) throw new UsageError("give the request either as arguments or with --data or --datafile");
    return command.regional && regionOf(data) === undefined ? { region, ...data } : data;
  }
  const asked = (command.prompts ?? []).map((prompt) => prompt.argument);
  const known = command.args.map((arg) => asked.includes(arg.name) ? { ...arg, required: false } : arg);
  const files = await readNamedFiles(command, rest, io);
  const { json, given } = parseArguments(known, rest, command.regional && region === "" ? ["region"] : [], files);
  if (command.request !== undefined) checkRequest(command, command.request, json);
  for (const prompt of command.prompts ?? []) {
    if (given.has(prompt.argument)) continue;
    const argument = command.args.find((arg) => arg.name === prompt.argument)!;
    const secret = await io.readSecret(prompt.text);
    if (prompt.confirm && await io.readSecret("Once more: ") !== secret) throw new UsageError("the two entries differ");
    json[argument.path[0]!] = secret;
  }
  return command.body(json, region);
}

/** Texts of the files that arguments of region commands name. */
async function readNamedFiles(command: Command, words: readonly string[], io: Io): Promise<FileTexts> {
  const texts = new Map<string, string | undefined>();
  if (!command.regional) return texts;
  for (const path of namedFiles(words)) texts.set(path, await io.readFile(path));
  return texts;
}

function regionOf(data: JsonObject): unknown {
  const key = Object.keys(data).find((key) => key.toLowerCase() === "region");
  return key === undefined ? undefined : data[key];
}

/** Finds wrong values before anything is sent, and names the arguments rather than the fields. */
function checkRequest(command: Command, type: MessageType<object>, json: JsonObject): void {
  try {
    fromJson(type, json);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const texts = error.issues.map((issue) => {
      const argument = command.args.find((arg) => arg.path.join(".") === issue.path);
      return issueText({ ...issue, path: argument === undefined ? issue.path : `arg ${argument.name}` });
    });
    throw new UsageError(texts.join("; "), `Arguments: mcctl ${commandName(command)} --help`);
  }
}

async function givenData(flags: Flags, io: Io): Promise<JsonObject | undefined> {
  if (flags.data !== undefined && flags.dataFile !== undefined) {
    throw new UsageError("give --data or --datafile, not both");
  }
  const text = flags.dataFile === undefined ? flags.data : await io.readFile(flags.dataFile);
  if (text === undefined) {
    if (flags.dataFile !== undefined) throw new UsageError(`there is no file ${flags.dataFile}`);
    return undefined;
  }
  const source = flags.dataFile ?? "--data";
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw new UsageError(`${source} is neither JSON nor YAML: ${error instanceof Error ? error.message : error}`);
  }
  if (!isJsonObject(data)) throw new UsageError(`${source} must hold an object`);
  return data as JsonObject;
}

function tokenFile(io: Io): string {
  const home = io.environment("HOME") ?? io.environment("USERPROFILE");
  if (home === undefined || home === "") throw new UsageError("the variable HOME does not say where ~/.mctoken is");
  return `${home}/${TOKEN_FILE}`;
}

async function findToken(flags: Flags, io: Io): Promise<string | undefined> {
  const token = flags.token || io.environment("TOKEN") || (await io.readFile(tokenFile(io)))?.trim();
  return token || undefined;
}

async function saveToken(io: Io, call: Call): Promise<void> {
  for await (const reply of callItems(io, call)) {
    const token = isJsonObject(reply) ? reply["token"] : undefined;
    if (typeof token !== "string" || token === "") continue;
    const file = tokenFile(io);
    await io.writePrivateFile(file, token);
    io.out(`login successful\ntoken saved to ${file}\n`);
    return;
  }
  throw new CallError(0, "", "the master controller answered the login without a token");
}
