// `deno task operator-sim`: the network of a pretended operator, for the matching engine's plugin location-api.
import { resolve } from "node:path";
import {
  checkRuntime,
  exitProcess,
  onTerminationSignal,
  programArguments,
  standardError,
  standardOutput,
  systemEnvironment,
  systemFiles,
} from "../../shared/runtime/mod.ts";
import { ConfigError, helpText, parseConfig } from "../../shared/service/mod.ts";
import type { Subscribers } from "./locations.ts";
import { startNetwork } from "./network.ts";
import { simOptions } from "./options.ts";

const DESCRIPTION = `The network of a pretended operator: token server, location database, quality predictions, priority
sessions. A matching engine uses it with --operator location-api (docs/plugins.md).`;

const DEFAULT_SUBSCRIBERS: Subscribers = { "127.0.0.1": { latitude: 52.52, longitude: 13.405, home: "DE" } };

async function main(): Promise<void> {
  checkRuntime();
  const args = programArguments();
  if (args.includes("--help")) return standardOutput().write(helpText("operator-sim", DESCRIPTION, simOptions));
  const config = await parseConfig(simOptions, {
    args,
    env: systemEnvironment(),
    resolvePath: (path) => resolve(path),
  });
  const files = systemFiles();
  const tls = async (folder: string) => ({
    cert: await files.readText(`${folder}/cert.pem`),
    key: await files.readText(`${folder}/key.pem`),
    ca: await files.readText(`${folder}/ca.pem`),
    requireClientCertificate: true,
  });
  const network = await startNetwork({
    ...config,
    grpcTls: config.tlsDir === undefined ? undefined : await tls(config.tlsDir),
    subscribers: config.subscribers === undefined
      ? DEFAULT_SUBSCRIBERS
      : JSON.parse(await files.readText(config.subscribers)),
  });
  standardOutput().write(
    `token server      ${network.url}/its?followURL=${encodeURIComponent(`${network.url}/verify`)}\n` +
      `location API      ${network.url}/verify\n` +
      `priority sessions ${network.url}\n` +
      `predictions       ${network.grpcAddress}\n`,
  );
  await new Promise<void>((done) => onTerminationSignal(() => done()));
  await network.close();
}

try {
  await main();
} catch (error) {
  standardError().write(`operator-sim: ${error instanceof Error ? error.message : error}\n`);
  exitProcess(error instanceof ConfigError ? 2 : 1);
}
