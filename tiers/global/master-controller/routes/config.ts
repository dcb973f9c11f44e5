import type { Session } from "../auth/session.ts";
import type { Action } from "../authz/policy.ts";
import { forbidden } from "../http/api_error.ts";
import { json, message } from "../http/reply.ts";
import type { AuthCall, Route } from "../http/route.ts";
import { type Config, configJson, DEFAULT_CONFIG, loadConfig, mergeConfig, storeConfig } from "../model/config.ts";

/** Settings that administrators change at run time. */
export const configRoutes: readonly Route[] = [
  { path: "config/show", emptyBody: true, reading: true, summary: "The settings", handle: showConfig },
  { path: "config/update", summary: "Change settings", handle: updateConfig },
  { path: "config/reset", emptyBody: true, summary: "Go back to the settings' defaults", handle: resetConfig },
  { path: "config/version", emptyBody: true, reading: true, summary: "What runs here", handle: showVersion },
];

async function showConfig({ core, session }: AuthCall) {
  requireConfig(session, "view");
  return json(configJson(await loadConfig(core.database)));
}

async function updateConfig(call: AuthCall) {
  requireConfig(call.session, "manage");
  await replace(call, (config) => mergeConfig(config, call.body));
  return message("Config updated");
}

async function resetConfig(call: AuthCall) {
  requireConfig(call.session, "manage");
  await replace(call, () => DEFAULT_CONFIG);
  return message("Config reset");
}

function showVersion({ core, session }: AuthCall) {
  requireConfig(session, "view");
  const { version, hostName } = core.settings;
  return Promise.resolve(json({ buildmaster: version, buildhead: version, buildauthor: "", hostname: hostName }));
}

async function replace({ core }: AuthCall, make: (config: Config) => Config): Promise<void> {
  await core.database.transaction(
    async (transaction) => storeConfig(transaction, make(await loadConfig(transaction))),
    {
      isolation: "serializable",
    },
  );
}

function requireConfig(session: Session, action: Action): void {
  if (!session.grants.allows("", "config", action)) throw forbidden();
}
