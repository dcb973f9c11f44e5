import { parseDocument } from "yaml";
import {
  type ComposePort,
  type ComposeRestart,
  type ComposeVolume,
  readDependencies,
  readEnvironment,
  readNetworks,
  readPorts,
  readRestart,
  readText,
  readVolumes,
  readWords,
} from "./compose_values.ts";
import { mapping, type Report, shown } from "./fields.ts";
import { ManifestError, type ManifestIssue } from "./manifest.ts";

/** One service of a compose file. What is undefined is as the image says. */
export interface ComposeService {
  readonly name: string;
  /** As it is written; a registry in front is optional. */
  readonly image: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Ports that the app serves. */
  readonly ports: readonly ComposePort[];
  readonly volumes: readonly ComposeVolume[];
  /** Services that are started before it. */
  readonly dependsOn: readonly string[];
  readonly restart: ComposeRestart;
  /** Networks by name, with further names under which it is known in them. It is always known by its own. */
  readonly networks: readonly { readonly name: string; readonly aliases: readonly string[] }[];
}

/** A compose file, complete and checked. */
export interface ComposeApp {
  /** In the order of the file. */
  readonly services: readonly ComposeService[];
  /** Named volumes. */
  readonly volumes: readonly string[];
  /** Networks that services are in. */
  readonly networks: readonly string[];
}

/** What a compose file says, and everything that is wrong with it. */
export interface ComposeResult {
  readonly app: ComposeApp;
  readonly issues: ManifestIssue[];
}

/** The network of the services that name none. */
export const DEFAULT_NETWORK = "default";

/** Most services of one app: they share the resources of its flavor. */
const MAX_SERVICES = 20;
const MAX_NAMES = 20;
/** Aliases may make a small text large, so only few are followed. */
const MAX_ALIASES = 100;
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/;
const EMPTY: ComposeApp = { services: [], volumes: [], networks: [] };

const SERVICE_FIELDS: readonly string[] = [
  "image",
  "command",
  "entrypoint",
  "environment",
  "ports",
  "expose",
  "volumes",
  "depends_on",
  "restart",
  "networks",
];

/** Fields that people try, with what to do instead. */
const HINTS: Readonly<Record<string, string>> = {
  build: "images are built elsewhere and named by image",
  container_name: "containers are named by the platform",
  deploy: "the app's flavor limits all services together",
  devices: "devices of the site are not for apps",
  env_file: "there are no files beside this one: use environment",
  extends: "there are no files beside this one",
  mem_limit: "the app's flavor limits all services together",
  network_mode: "services are in networks of the app alone: use networks",
  privileged: "apps have no privileges on a site",
};

/**
 * Reads a compose file: the part of the compose specification that every site with Docker can keep. What is not part of it
 * is refused by name, not left out.
 *
 * @param root name of the field in messages
 */
export function readCompose(text: string, root = "deployment_manifest"): ComposeResult {
  const issues: ManifestIssue[] = [];
  const report: Report = (path, value, rule) => void issues.push({ path, value: shown(value), rule });
  const fields = topFields(text, root, report);
  if (fields === undefined) return { app: EMPTY, issues };
  for (const key of Object.keys(fields)) {
    if (["version", "services", "volumes", "networks"].includes(key) || key.startsWith("x-")) continue;
    report(`${root}.${key}`, "", "is not supported, use services, volumes and networks");
  }
  const volumes = declared(fields["volumes"], `${root}.volumes`, "volumes", report);
  const named = declared(fields["networks"], `${root}.networks`, "networks", report);
  const networks = [...new Set([DEFAULT_NETWORK, ...named])];
  const services = readServices(fields["services"], `${root}.services`, report);
  for (const service of services) {
    const path = `${root}.services.${service.name}`;
    for (const { volume } of service.volumes) {
      if (!volumes.includes(volume)) report(`${path}.volumes`, volume, "is not declared in volumes");
    }
    for (const { name } of service.networks) {
      if (!networks.includes(name)) report(`${path}.networks`, name, "is not declared in networks");
    }
    for (const name of service.dependsOn) {
      if (!services.some((other) => other.name === name)) {
        report(`${path}.depends_on`, name, "is no service of the app");
      }
    }
  }
  checkPorts(services, `${root}.services`, report);
  if (issues.length === 0 && startOrder(services) === undefined) {
    report(`${root}.services`, "", "depend on each other in a circle");
  }
  const used = networks.filter((name) =>
    services.some((service) => service.networks.some((each) => each.name === name))
  );
  return { app: { services, volumes, networks: used }, issues };
}

/** Reads a valid compose file. Throws {@linkcode ManifestError} with every fault of an invalid one. */
export function parseCompose(text: string): ComposeApp {
  const { app, issues } = readCompose(text);
  if (issues.length > 0) throw new ManifestError(issues);
  return app;
}

/** Services in an order in which each comes after those that it depends on; undefined: there is none. */
export function startOrder(services: readonly ComposeService[]): readonly ComposeService[] | undefined {
  const ordered: ComposeService[] = [];
  const has = (name: string) => ordered.some((service) => service.name === name);
  while (ordered.length < services.length) {
    const next = services.find(({ name, dependsOn }) => !has(name) && dependsOn.every(has));
    if (next === undefined) return undefined;
    ordered.push(next);
  }
  return ordered;
}

function topFields(text: string, root: string, report: Report): Record<string, unknown> | undefined {
  const document = parseDocument(text, { prettyErrors: true, stringKeys: true, schema: "core", merge: true });
  for (const error of document.errors) report(root, "", `is not valid YAML: ${error.message.split("\n")[0]}`);
  if (document.errors.length > 0) return undefined;
  try {
    return mapping(document.toJS({ maxAliasCount: MAX_ALIASES }), root, report);
  } catch {
    report(root, "", `holds more than ${MAX_ALIASES} aliases`);
    return undefined;
  }
}

/** Names in a mapping whose values say nothing: volumes and networks are made as the platform makes them. */
function declared(value: unknown, path: string, what: string, report: Report): string[] {
  if (value === undefined || value === null) return [];
  const fields = mapping(value, path, report) ?? {};
  const names = Object.keys(fields);
  if (names.length > MAX_NAMES) report(path, "", `holds more than ${MAX_NAMES} ${what}`);
  for (const name of names) {
    if (!NAME.test(name)) report(path, name, "must be a name of letters, digits and inner . _ -");
    const options = fields[name] ?? {};
    for (const key of Object.keys(mapping(options, `${path}.${name}`, report) ?? {})) {
      report(`${path}.${name}.${key}`, "", `is not supported: ${what} are the app's own, made without options`);
    }
  }
  return names;
}

function readServices(value: unknown, path: string, report: Report): ComposeService[] {
  const fields = value === undefined ? {} : mapping(value, path, report) ?? {};
  const names = Object.keys(fields);
  if (names.length === 0 && (value === undefined || typeof value === "object")) {
    report(path, "", "must hold at least one service");
  }
  if (names.length > MAX_SERVICES) report(path, "", `holds more than ${MAX_SERVICES} services`);
  return names.slice(0, MAX_SERVICES).map((name) => readService(name, fields[name], `${path}.${name}`, report));
}

function readService(name: string, value: unknown, path: string, report: Report): ComposeService {
  if (!NAME.test(name)) report(path, name, "must be a name of letters, digits and inner . _ -");
  const fields = mapping(value, path, report) ?? {};
  for (const key of Object.keys(fields)) {
    if (SERVICE_FIELDS.includes(key) || key.startsWith("x-")) continue;
    const hint = HINTS[key] ?? `use ${SERVICE_FIELDS.join(", ")}`;
    // Values may be secrets of the developer, so messages never show them.
    report(`${path}.${key}`, "", `is not supported: ${hint}`);
  }
  return {
    name,
    image: readText(fields["image"], `${path}.image`, report) ?? "",
    entrypoint: readWords(fields["entrypoint"], `${path}.entrypoint`, report),
    command: readWords(fields["command"], `${path}.command`, report),
    environment: readEnvironment(fields["environment"], `${path}.environment`, report),
    ports: readPorts(fields["ports"], `${path}.ports`, report),
    volumes: readVolumes(fields["volumes"], `${path}.volumes`, report),
    dependsOn: readDependencies(fields["depends_on"], `${path}.depends_on`, report),
    restart: readRestart(fields["restart"], `${path}.restart`, report),
    networks: readNetworks(fields["networks"], `${path}.networks`, report) ?? [{ name: DEFAULT_NETWORK, aliases: [] }],
  };
}

function checkPorts(services: readonly ComposeService[], path: string, report: Report): void {
  const owners = new Map<string, string>();
  for (const { name, ports } of services) {
    for (const { protocol, published } of ports) {
      const port = `${protocol}:${published}`;
      const owner = owners.get(port);
      if (owner !== undefined) report(`${path}.${name}.ports`, port, `is published by service ${owner} already`);
      owners.set(port, owner ?? name);
    }
  }
}
