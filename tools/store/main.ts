// `deno task store`: dump, restore and inspect the store of a region's objects.
import { resolve } from "node:path";
import {
  checkRuntime,
  exitProcess,
  programArguments,
  standardError,
  standardOutput,
  systemEnvironment,
  systemFiles,
  systemRandom,
} from "../../shared/runtime/mod.ts";
import { ConfigError, helpText, parseConfig } from "../../shared/service/mod.ts";
import { openStore } from "../../shared/store/mod.ts";
import { readStoreTls } from "../../tiers/regional/controller/state/store_tls.ts";
import { runStoreCommand, STORE_COMMANDS } from "./commands.ts";
import { storeOptions } from "./options.ts";

const DESCRIPTION = `Works on the store of a region's objects.

Usage: store COMMAND --store URL [--file FILE]

${Object.entries(STORE_COMMANDS).map(([name, what]) => `  ${name.padEnd(8)} ${what}`).join("\n")}`;

async function main(): Promise<void> {
  checkRuntime();
  const [command = "--help", ...args] = programArguments();
  if (command === "--help" || args.includes("--help")) {
    return standardOutput().write(helpText("store", DESCRIPTION, storeOptions));
  }
  const config = await parseConfig(storeOptions, {
    args,
    env: systemEnvironment(),
    resolvePath: (path) => resolve(path),
  });
  const random = systemRandom();
  const store = await openStore(config.store, {
    random: () => random.number(),
    tls: await readStoreTls(config.storeTlsDir, systemFiles()),
  });
  try {
    await runStoreCommand(command, store, config.file, {
      out: (text) => standardOutput().write(text),
      say: (text) => standardError().write(text),
    });
  } finally {
    await store.close();
  }
}

try {
  await main();
} catch (error) {
  standardError().write(`store: ${error instanceof Error ? error.message : error}\n`);
  exitProcess(error instanceof ConfigError ? 2 : 1);
}
