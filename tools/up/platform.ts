import {
  type Clock,
  type Environment,
  executablePath,
  type Files,
  type Processes,
  type RandomSource,
} from "../../shared/runtime/mod.ts";
import type { Logger } from "../../shared/telemetry/mod.ts";
import { type AccountsDatabase, startAccountsDatabase } from "./accounts_database.ts";
import { type Certificates, keepCertificates } from "./certificates.ts";
import { childEnvironment } from "./child_environment.ts";
import { openDataFolder } from "./data_folder.ts";
import { createDemo, demoWorld } from "./demo/mod.ts";
import { UpError } from "./failure.ts";
import { demoPasswords, type FirstSecrets, openFirstSecrets } from "./first_secrets.ts";
import type { ServiceInfo, UpInfo } from "./info.ts";
import { layoutOf } from "./layout.ts";
import type { UpConfig } from "./options.ts";
import { checkPorts, MAX_REGIONS, portPlan } from "./ports.ts";
import type { Progress } from "./progress.ts";
import { registerRegions } from "./register.ts";
import { controllerSpec, dmeSpec, masterControllerSpec, type SpecContext } from "./services.ts";
import { type Sites, startSites } from "./sites.ts";
import { type Service, supervise, type SupervisorDeps } from "./supervisor.ts";

/** What a platform is started on. */
export interface PlatformDeps {
  files: Files;
  clock: Clock;
  random: RandomSource;
  processes: Processes;
  environment: Environment;
  log: Logger;
  progress: Progress;
  /** Told what people should know while the platform runs. */
  say(text: string): void;
}

/** A running platform. */
export interface Platform {
  /** What `up.json` holds now. */
  info(): UpInfo;
  /** Drains everything in reverse order; leaves no process. */
  stop(): Promise<void>;
}

/**
 * Starts everything in dependency order and side by side where the order allows.
 * @param signal Gives the start up; what has started is stopped.
 * @throws {UpError} with what keeps it from starting.
 */
export async function startPlatform(config: UpConfig, deps: PlatformDeps, signal: AbortSignal): Promise<Platform> {
  const starting = new PlatformStart(config, deps);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([starting.run(), aborted]);
  } catch (error) {
    await starting.stop();
    throw error;
  }
  return { info: () => starting.info(), stop: () => starting.stop() };
}

class PlatformStart {
  readonly #config: UpConfig;
  readonly #deps: PlatformDeps;
  readonly #layout;
  readonly #ports;
  readonly #services: Service[] = [];
  readonly #sites: Sites[] = [];
  readonly #closers: (() => Promise<void> | void)[] = [];
  #database: AccountsDatabase | undefined;
  #opened = false;
  #ready = false;
  #stopping: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #recordProcesses: (pids: readonly number[]) => Promise<void> = () => Promise.resolve();

  constructor(config: UpConfig, deps: PlatformDeps) {
    if (config.regions.length === 0 || config.regions.length > MAX_REGIONS) {
      throw new UpError(`--regions: 1 to ${MAX_REGIONS} regions, not ${config.regions.length}.`);
    }
    if (new Set(config.regions).size < config.regions.length) {
      throw new UpError("--regions: a name stands there twice.");
    }
    for (const name of ["store", "metrics"] as const) {
      if (config[name] === undefined || config.regions.length === 1) continue;
      throw new UpError(`--${name}: several regions cannot share a store; run one \`up\` for each, or leave it out.`);
    }
    this.#config = config;
    this.#deps = deps;
    this.#layout = layoutOf(config.data);
    this.#ports = portPlan(config.portBase, config.regions);
  }

  async run(): Promise<void> {
    const { files, clock, progress, log } = this.#deps;
    const folder = await openDataFolder(this.#layout, files, clock);
    this.#opened = true;
    this.#closers.push(() => folder.release());
    this.#recordProcesses = folder.recordProcesses;
    checkPorts(this.#ports, this.#config.database === undefined);
    const secrets = await progress.step("certificates and keys", () => this.#openSecrets());
    const certificates = keepCertificates(secrets.ca, { files, clock, log });
    this.#closers.push(() => certificates.close());
    const context = this.#context(secrets);
    await Promise.all([
      this.#startMasterController(context, certificates),
      ...this.#config.regions.map((region) => this.#startRegion(context, certificates, region)),
    ]);
    await progress.step("regions registered", () => this.#register(secrets));
    if (this.#config.demo) await this.#createDemo(secrets, context);
    this.#ready = true;
    await this.#changed();
  }

  async #openSecrets(): Promise<FirstSecrets> {
    const url = this.#config.secrets ?? `file:${this.#layout.secrets}`;
    const secrets = await openFirstSecrets(this.#layout, url, this.#config.regions, this.#deps);
    this.#closers.push(() => secrets.close());
    return secrets;
  }

  #context(secrets: FirstSecrets): SpecContext {
    return {
      config: this.#config,
      layout: this.#layout,
      ports: this.#ports,
      source: new URL("../..", import.meta.url).pathname.replace(/\/$/, ""),
      secrets: secrets.url,
      runtime: executablePath(),
    };
  }

  get #supervisor(): SupervisorDeps {
    const { processes, clock, log, environment, say } = this.#deps;
    return {
      processes,
      clock,
      log,
      say,
      runtime: executablePath(),
      env: childEnvironment(environment),
      graceMs: this.#config.grace,
      changed: () => void this.#changed(),
    };
  }

  /** Starts a service and waits until it is ready. */
  async #start(spec: ReturnType<typeof dmeSpec>): Promise<void> {
    await this.#deps.files.makeDirectory(this.#layout.run(spec.name), { mode: 0o700 });
    const service = supervise(spec, this.#supervisor);
    this.#services.push(service);
    this.#closers.push(() => service.stop());
    await service.ready;
  }

  async #startMasterController(context: SpecContext, certificates: Certificates): Promise<void> {
    const { files, progress } = this.#deps;
    const database = new URL(await progress.step("accounts database", () => this.#startDatabase()));
    const password = decodeURIComponent(database.password);
    await files.writeAtomic(this.#layout.databasePassword, `${password}\n`, { mode: 0o600 });
    database.password = "";
    await progress.step("master controller", async () => {
      const folder = this.#layout.run("master-controller");
      await certificates.keep(`${folder}/tls`, { tier: "global", service: "master-controller" });
      await certificates.keepPublic(`${folder}/public-tls`);
      await this.#start(masterControllerSpec(context, database.href));
    });
  }

  async #startDatabase(): Promise<string> {
    if (this.#config.database !== undefined) return this.#config.database;
    const { clock, log, processes, say } = this.#deps;
    const database = await startAccountsDatabase({
      dataDir: this.#layout.postgres,
      port: this.#ports.postgres,
      clock,
      processes,
      log,
      say,
      changed: () => void this.#changed(),
    });
    this.#database = database;
    this.#closers.push(() => database.stop());
    await this.#changed();
    return database.url;
  }

  async #startRegion(context: SpecContext, certificates: Certificates, region: string): Promise<void> {
    const { files, clock, log, progress } = this.#deps;
    await files.makeDirectory(this.#layout.region(region), { mode: 0o700 });
    await progress.step(`controller of ${region}`, async () => {
      const folder = this.#layout.run(`controller-${region}`);
      await certificates.keep(`${folder}/tls`, { tier: "regional", region, service: "controller" });
      await certificates.keepPublic(`${folder}/public-tls`);
      await this.#start(controllerSpec(context, region));
    });
    await Promise.all([
      progress.step(`matching engine of ${region}`, async () => {
        const folder = this.#layout.run(`dme-${region}`);
        await certificates.keep(`${folder}/tls`, { tier: "regional", region, service: "dme" });
        await certificates.keepPublic(`${folder}/public-tls`);
        await this.#start(dmeSpec(context, region));
      }),
      progress.step(`sites of ${region}`, async () => {
        const supervisor = this.#supervisor;
        const sites = await startSites({ region, context, certificates, supervisor, files, clock, log });
        this.#sites.push(sites);
        this.#closers.push(() => sites.stop());
        await sites.started;
        await Promise.all([...sites.services].map((service) => service.ready));
      }),
    ]);
  }

  async #register(secrets: FirstSecrets): Promise<void> {
    const addresses = this.#config.regions.map((region) => [region, `127.0.0.1:${this.#ports.regions[region]!.grpc}`]);
    await registerRegions(this.#restUrl, secrets.ca.rootPem, this.#admin(secrets), Object.fromEntries(addresses));
  }

  async #createDemo(secrets: FirstSecrets, context: SpecContext): Promise<void> {
    await this.#deps.progress.step("demo", async (note) => {
      const world = demoWorld();
      const users = [...world.operators, ...world.developers].map(({ user }) => user);
      const passwords = await demoPasswords(this.#layout, users, this.#deps);
      await createDemo(world, {
        rest: this.#restUrl,
        ca: secrets.ca.rootPem,
        admin: this.#admin(secrets),
        region: this.#config.regions[0]!,
        firstPublicPort: this.#ports.demo,
        appFolder: `${context.source}/tools/up/demo/apps`,
        passwordOf: (user) => Promise.resolve(passwords[user]!),
        progress: (done, total, what) =>
          note(done === total ? `${total} sites` : `${done} of ${total} sites (${what})`),
      });
    });
  }

  #admin(secrets: FirstSecrets): { name: string; password: string } {
    return { name: this.#config.superuser, password: secrets.adminPassword };
  }

  get #restUrl(): string {
    return `https://localhost:${this.#ports.rest}`;
  }

  /** Notes the processes for a successor, and renews `up.json` once all was ready. */
  #changed(): Promise<void> {
    return this.#writing = this.#writing.then(async () => {
      if (this.#stopping) return;
      const pids = this.#running().map((service) => service.pid);
      await this.#recordProcesses(this.#database ? [...pids, this.#database.pid] : pids);
      if (!this.#ready) return;
      await this.#deps.files.writeAtomic(this.#layout.info, `${JSON.stringify(this.info(), null, 2)}\n`);
    }).catch((error) => {
      this.#deps.log.error("up.json not written", { error: error instanceof Error ? error.message : String(error) });
    });
  }

  #running(): Service[] {
    return [...this.#services, ...this.#sites.flatMap((sites) => [...sites.services])];
  }

  info(): UpInfo {
    const regions = Object.entries(this.#ports.regions).map(([region, ports]) => [region, {
      controller: { grpc: `127.0.0.1:${ports.grpc}` },
      dme: { rest: `https://localhost:${ports.dmeRest}`, grpc: `localhost:${ports.dmeGrpc}` },
    }]);
    return {
      version: 1,
      ca: this.#layout.ca,
      admin: { name: this.#config.superuser, passwordFile: this.#layout.adminPassword },
      masterController: { rest: this.#restUrl },
      regions: Object.fromEntries(regions),
      services: [...this.#databaseInfo(), ...this.#running().map(serviceInfo)],
    };
  }

  #databaseInfo(): ServiceInfo[] {
    if (!this.#database) return [];
    const { pid, log } = this.#database;
    const url = `postgres://127.0.0.1:${this.#ports.postgres}`;
    return [{
      name: "postgres",
      type: "postgres",
      region: "",
      cloudlet: "",
      pid,
      log,
      permissionSet: "",
      urls: { postgres: url },
    }];
  }

  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    await this.#writing;
    // a folder that is in use by another belongs to that one
    if (this.#opened) await this.#deps.files.remove(this.#layout.info).catch(() => {});
    // what comes up while things go down is stopped as well
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        this.#deps.log.error("not stopped cleanly", { error: error instanceof Error ? error.message : String(error) });
      }
    }
  }
}

function serviceInfo({ spec, pid, urls }: Service): ServiceInfo {
  const { name, type, region = "", cloudlet = "", log, permissionSet } = spec;
  return { name, type, region, cloudlet, pid, log, permissionSet, urls: { ...urls } };
}
