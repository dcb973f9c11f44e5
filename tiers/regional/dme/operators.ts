import { type Operator, type OperatorPlugin, readSettings } from "../../../shared/operator/mod.ts";
import type { LoadedIdentity } from "../../../shared/identity/mod.ts";
import { createChannel } from "../../../shared/rpc/mod.ts";
import type { SecretStore } from "../../../shared/secrets/mod.ts";
import type { ServiceContext } from "../../../shared/service/mod.ts";
import type { ConfigOf } from "../../../shared/service/mod.ts";
import type { dmeOptions } from "./options.ts";

/** The plugins that are built in; literal names, so that bundles include them. */
const BUILT_IN: Readonly<Record<string, () => Promise<{ default: OperatorPlugin }>>> = {
  standalone: () => import("../../../plugins/operator_standalone/mod.ts"),
  "location-api": () => import("../../../plugins/operator_location/mod.ts"),
};

/** Names of the plugins that are built in. */
export const OPERATOR_NAMES: readonly string[] = Object.keys(BUILT_IN);

/**
 * Loads and opens the plugin that stands for the operator: one that is built in, or a module of somebody else's.
 * Throws with what is wrong with its name or settings.
 */
export async function openOperator(
  context: ServiceContext<ConfigOf<typeof dmeOptions>>,
  identity: LoadedIdentity,
  secrets: SecretStore | undefined,
): Promise<Operator> {
  const { config, clock, random, log } = context;
  const plugin = await load(config.operator);
  const operator = await plugin.open({
    settings: readSettings(plugin.meta, config.operatorSettings),
    tokenServerUri: config.tokenServerUri,
    fetch,
    async secret(name) {
      const found = await secrets?.get(`${config.region}/operator/${name}`);
      const value = found?.data["value"];
      return typeof value === "string" ? value : undefined;
    },
    connect: (address) => createChannel({ address, tls: { ca: identity.ca, cert: identity.cert, key: identity.key } }),
    now: () => clock.now(),
    randomBytes: (count) => random.bytes(count),
    log,
  });
  log.info("Operator connected", { operator: plugin.meta.name, ...operator.properties });
  context.onClose("operator", () => operator.close());
  return operator;
}

async function load(name: string): Promise<OperatorPlugin> {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (builtIn !== undefined) return (await builtIn()).default;
  if (!/^(?:\/|file:|https:)/.test(name)) {
    throw new Error(`--operator ${name}: must be one of ${OPERATOR_NAMES.join(", ")}, or the path or URL of a module`);
  }
  const url = name.startsWith("/") ? `file://${name}` : name;
  const plugin = (await import(url)).default as Partial<OperatorPlugin> | undefined;
  if (typeof plugin?.open === "function" && typeof plugin.meta?.name === "string") return plugin as OperatorPlugin;
  throw new Error(`--operator ${name}: its default export is no operator plugin with meta and open`);
}
