// `deno task credentials`: the certificate of a cloudlet whose services run on another machine.
import { resolve } from "node:path";
import { identityName } from "../../shared/identity/mod.ts";
import {
  checkRuntime,
  exitProcess,
  programArguments,
  standardError,
  standardOutput,
  systemClock,
  systemEnvironment,
  systemFiles,
  systemRandom,
} from "../../shared/runtime/mod.ts";
import { ConfigError, helpText, parseConfig } from "../../shared/service/mod.ts";
import { issueCredentials } from "./issue.ts";
import { credentialsOptions } from "./options.ts";

const DESCRIPTION = "Issues the certificate of a cloudlet's service that runs on another machine than the platform.";

async function main(): Promise<void> {
  checkRuntime();
  const args = programArguments();
  const out = standardOutput();
  if (args.includes("--help")) return out.write(helpText("credentials", DESCRIPTION, credentialsOptions));
  const environment = systemEnvironment();
  const config = await parseConfig(credentialsOptions, {
    args,
    env: environment,
    resolvePath: (path) => resolve(path),
  });
  const deps = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment };
  const { identity, issued } = await issueCredentials(config, deps);
  out.write(
    `${identityName(identity)}: ${config.out}/{cert,key,ca}.pem, valid until ${
      new Date(issued.notAfterMs).toISOString()
    }\n`,
  );
}

try {
  await main();
} catch (error) {
  standardError().write(`credentials: ${error instanceof Error ? error.message : error}\n`);
  exitProcess(error instanceof ConfigError ? 2 : 1);
}
