import { type LoadedIdentity, loadIdentity } from "../../shared/identity/mod.ts";
import type { Clock, Files } from "../../shared/runtime/mod.ts";
import type { Logger } from "../../shared/telemetry/mod.ts";
import type { Certificates } from "./certificates.ts";
import { siteName } from "./layout.ts";
import { crmSpec, type SpecContext } from "./services.ts";
import { type LocalSite, startSiteManager } from "./site_manager.ts";
import { type Service, supervise, type SupervisorDeps } from "./supervisor.ts";

/** Runs the resource managers of the sites of one region that live on this machine. */
export interface Sites {
  readonly services: Iterable<Service>;
  /** Settles when each site that the region knew at the start runs its resource manager. */
  readonly started: Promise<void>;
  stop(): Promise<void>;
}

/** What the sites of a region need. */
export interface SitesOptions {
  region: string;
  context: SpecContext;
  certificates: Certificates;
  supervisor: SupervisorDeps;
  files: Files;
  clock: Clock;
  log: Logger;
}

/** Starts to follow the region's sites, under an identity of its own. */
export async function startSites(options: SitesOptions): Promise<Sites> {
  const { region, context, certificates, supervisor, files, clock, log } = options;
  const folder = `${context.layout.run(`up-${region}`)}/tls`;
  await certificates.keep(folder, { tier: "regional", region, service: "up" });
  const identity: LoadedIdentity = await loadIdentity(folder, { files, clock, log });
  const services = new Map<string, Service>();

  async function appeared(site: LocalSite): Promise<void> {
    const spec = crmSpec(context, region, site);
    const runFolder = context.layout.run(spec.name);
    await files.makeDirectory(`${runFolder}/data`, { mode: 0o700 });
    await certificates.keep(`${runFolder}/tls`, {
      tier: "cloudlet",
      region,
      cloudlet: { organization: site.organization, name: site.name },
      service: "crm",
    });
    services.set(spec.name, supervise(spec, supervisor));
    supervisor.changed();
  }

  async function disappeared(site: LocalSite): Promise<void> {
    const name = siteName(region, site.organization, site.name);
    const service = services.get(name);
    services.delete(name);
    await service?.stop();
    certificates.drop(`${context.layout.run(name)}/tls`);
    await files.remove(context.layout.run(name), { recursive: true });
    supervisor.changed();
  }

  const manager = startSiteManager({
    region,
    notifyAddress: `127.0.0.1:${context.ports.regions[region]!.notify}`,
    identity,
    clock,
    log,
    appeared,
    disappeared,
  });
  return {
    services: { [Symbol.iterator]: () => services.values() },
    started: manager.inStep,
    async stop() {
      await manager.stop();
      await Promise.all([...services.values()].map((service) => service.stop()));
      identity.close();
    },
  };
}
