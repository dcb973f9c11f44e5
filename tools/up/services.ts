import { fileStoreLocation } from "../../shared/secrets/mod.ts";
import type { Layout } from "./layout.ts";
import { siteName } from "./layout.ts";
import type { Ports } from "./ports.ts";
import type { ServiceSpec } from "./supervisor.ts";
import type { UpConfig } from "./options.ts";
import { DOOR_V8_FLAGS, PARENT_V8_FLAGS } from "./v8_flags.ts";

/** What every command line needs. */
export interface SpecContext {
  readonly config: UpConfig;
  readonly layout: Layout;
  readonly ports: Ports;
  /** Folder of this checkout. */
  readonly source: string;
  /** URL of the secret store. */
  readonly secrets: string;
  /** The runtime's executable. */
  readonly runtime: string;
}

interface Program {
  readonly name: string;
  readonly type: string;
  readonly region?: string;
  readonly cloudlet?: string;
  readonly permissionSet: string;
  /** Program below the checkout. */
  readonly main: string;
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Rather small than fast: what waits for people or runs once a site. Measured: 15 MiB less at the master controller. */
  readonly compact?: boolean;
  /** Flags of the engine, instead of those of `compact`. */
  readonly v8Flags?: readonly string[];
  /** Executables it may start. */
  readonly run?: readonly string[];
  /** URLs of systems that it uses and that may be on other machines. */
  readonly reaches?: readonly (string | undefined)[];
  readonly flags: readonly string[];
}

/** A program's command line: its named permission set, with reading and writing narrowed to its own folders. */
function specOf(context: SpecContext, program: Program): ServiceSpec {
  const { config, layout, source } = context;
  const { name, type, region, cloudlet, permissionSet, v8Flags = program.compact ? ["--optimize-for-size"] : [] } =
    program;
  const folder = layout.run(name);
  return {
    name,
    type,
    region,
    cloudlet,
    permissionSet,
    log: `${folder}/${type}.log`,
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...(v8Flags.length > 0 ? [`--v8-flags=${v8Flags.join(",")}`] : []),
      "--frozen",
      `--config=${source}/deno.json`,
      `-P=${permissionSet}`,
      ...(program.read.length > 0 ? [`--allow-read=${program.read.join(",")}`] : []),
      ...(program.write.length > 0 ? [`--allow-write=${program.write.join(",")}`] : []),
      ...(program.run ? [`--allow-run=${program.run.join(",")}`] : []),
      ...reaching(...program.reaches ?? []),
      `${source}/${program.main}`,
      "--watch-parent",
      "--log-format=json",
      `--log-level=${config.logLevel}`,
      `--grace=${config.grace}ms`,
      ...program.flags,
    ],
  };
}

/** Network rights beyond loopback, which every set has; a flag replaces those of the set. */
export function reaching(...urls: readonly (string | undefined)[]): string[] {
  const hosts = urls.filter((url) => url !== undefined).flatMap((url) =>
    url.replace(/^(etcd|influxdb):/, "").split(",")
  )
    .map((part) => /^(?:[a-z]+:\/\/)?(?:[^/@]*@)?([^/?]*)/.exec(part)![1]!);
  const remote = hosts.filter((host) => !/^((127\.0\.0\.1|localhost)(:\d+)?|sqlite:.*)?$/.test(host));
  return remote.length === 0 ? [] : [`--allow-net=127.0.0.1,localhost,${remote.join(",")}`];
}

/** The controller of a region. */
export function controllerSpec(context: SpecContext, region: string): ServiceSpec {
  const { config, layout, ports, secrets } = context;
  const name = `controller-${region}`;
  const { grpc, notify, access } = ports.regions[region]!;
  const folder = layout.region(region);
  const { root, kekFile } = fileStoreLocation(secrets);
  // Of the authority the two intermediates that issue for cloudlets, and never the root.
  const ownSecrets = [`${region}/cloudlets`, `${region}/ssh`];
  const readSecrets = [...ownSecrets, "ca/cloudlet.sealed", "ca/public.sealed", "registry", "federation"];
  // SQLite opens the files beside it by itself.
  const files = [config.store, config.metrics].filter((url) => url?.startsWith("sqlite:"))
    .map((url) => url!.slice("sqlite:".length));
  return specOf(context, {
    name,
    type: "controller",
    region,
    permissionSet: "controller",
    main: "tiers/regional/controller/main.ts",
    v8Flags: PARENT_V8_FLAGS,
    read: [
      `${layout.run(name)}/tls`,
      `${layout.run(name)}/public-tls`,
      folder,
      ...readSecrets.map((path) => `${root}/${path}`),
      kekFile,
      ...files,
      ...(config.metrics?.startsWith("influxdb:") ? [`${root}/${region}/accounts`] : []),
      ...(config.store?.startsWith("etcd:") ? [etcdClientFolder()] : []),
    ],
    write: [folder, ...ownSecrets.map((path) => `${root}/${path}`), ...files],
    reaches: [config.store, config.metrics],
    flags: [
      `--region=${region}`,
      `--store=${config.store ?? `sqlite:${folder}/store.db`}`,
      `--metrics=${config.metrics ?? `sqlite:${folder}/metrics.db`}`,
      "--auto-upgrade",
      `--secrets=${secrets}`,
      `--api-addr=127.0.0.1:${grpc}`,
      `--notify-addr=127.0.0.1:${notify}`,
      `--access-api-addr=127.0.0.1:${access}`,
      `--tls-dir=${layout.run(name)}/tls`,
      `--public-tls-dir=${layout.run(name)}/public-tls`,
    ],
  });
}

/** The etcd client reads its service descriptions from its own package when it is loaded. */
function etcdClientFolder(): string {
  return new URL("..", import.meta.resolve("etcd3")).pathname;
}

/** The master controller. @param databaseUrl without the password, which other users of the machine could see */
export function masterControllerSpec(context: SpecContext, databaseUrl: string): ServiceSpec {
  const { config, layout, ports, secrets } = context;
  const name = "master-controller";
  const folder = layout.run(name);
  return specOf(context, {
    name,
    type: name,
    permissionSet: name,
    main: "tiers/global/master-controller/main.ts",
    compact: true,
    read: [folder, layout.databasePassword, layout.adminPassword, ...secretFiles(context, "jwtkeys")],
    write: [],
    reaches: [databaseUrl],
    flags: [
      `--addr=127.0.0.1:${ports.rest}`,
      `--database=${databaseUrl}`,
      `--database-password-file=${layout.databasePassword}`,
      `--secrets=${secrets}`,
      `--tls-dir=${folder}/tls`,
      `--public-tls-dir=${folder}/public-tls`,
      `--superuser=${config.superuser}`,
      `--superuser-password-file=${layout.adminPassword}`,
      "--skip-verify-email",
    ],
  });
}

/** The matching engine of a region. */
export function dmeSpec(context: SpecContext, region: string): ServiceSpec {
  const { layout, ports, secrets } = context;
  const name = `dme-${region}`;
  const folder = layout.run(name);
  const { notify, dmeGrpc, dmeRest } = ports.regions[region]!;
  return specOf(context, {
    name,
    type: "dme",
    region,
    permissionSet: "dme",
    main: "tiers/regional/dme/main.ts",
    v8Flags: DOOR_V8_FLAGS,
    read: [folder, ...secretFiles(context, `${region}/jwtkeys`)],
    write: [],
    flags: [
      `--region=${region}`,
      `--notify-addrs=127.0.0.1:${notify}`,
      `--api-addr=127.0.0.1:${dmeGrpc}`,
      `--http-addr=127.0.0.1:${dmeRest}`,
      `--tls-dir=${folder}/tls`,
      `--public-tls-dir=${folder}/public-tls`,
      `--secrets=${secrets}`,
    ],
  });
}

/** The resource manager of a site. */
export function crmSpec(
  context: SpecContext,
  region: string,
  site: { organization: string; name: string; docker: boolean },
): ServiceSpec {
  const { config, layout, ports, source, runtime } = context;
  const name = siteName(region, site.organization, site.name);
  const folder = layout.run(name);
  const modules = [...config.moduleRoots, `${source}/tools/up/demo/apps`];
  const docker = site.docker ? [config.dockerSocket] : [];
  return specOf(context, {
    name,
    type: "crm",
    region,
    cloudlet: `${site.organization}/${site.name}`,
    permissionSet: "crm",
    main: "tiers/cloudlet/crm/main.ts",
    compact: true,
    read: [folder, ...modules, "/proc", ...docker],
    write: [`${folder}/data`, ...docker],
    run: [runtime],
    flags: [
      `--cloudlet=${JSON.stringify({ organization: site.organization, name: site.name })}`,
      `--region=${region}`,
      `--notify-addrs=127.0.0.1:${ports.regions[region]!.notify}`,
      `--tls-dir=${folder}/tls`,
      `--data-dir=${folder}/data`,
      `--module-roots=${modules.join(",")}`,
      `--runtime=${runtime}`,
      "--stop-apps-on-exit",
    ],
  });
}

/** Files of the secret store that a service may see: one branch, and the key that opens them. */
function secretFiles({ secrets }: SpecContext, branch: string): string[] {
  const { root, kekFile } = fileStoreLocation(secrets);
  return [`${root}/${branch}`, kekFile];
}
