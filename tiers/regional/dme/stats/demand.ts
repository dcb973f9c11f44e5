import {
  AutoProvCounts,
  type AutoProvPolicy,
  type CloudletKey,
  type ClusterInst,
  type DeepPartial,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import {
  appId,
  cloudletId,
  type CloudletKeyShape,
  distanceKm,
  isValidPoint,
  type Point,
  PUBLIC_CLOUD_PAD_KM,
  PUBLIC_CLOUDS,
} from "../matching/mod.ts";

/** Type of the messages in which demand is told. */
export const DEMAND_MESSAGE = "AutoProvCounts";

/** Cluster in which the controller deploys at once; the platform makes it. */
const DEPLOY_CLUSTER = "autocluster-autoprov";

/** How far a device is taken to be from an app that has no instance for it, kilometres. */
const NOWHERE_KM = 100_000;

/** What matters of an app. */
export interface DemandApp {
  readonly key: { readonly organization: string; readonly name: string; readonly version: string };
  readonly autoProvPolicies: readonly string[];
  readonly deployment: string;
  readonly defaultFlavor: { readonly name: string };
}

/** What matters of a cloudlet. */
export interface DemandCloudlet {
  readonly key: CloudletKeyShape;
  readonly location?: Point;
  readonly allianceOrgs: readonly string[];
}

interface Site {
  readonly id: string;
  readonly key: CloudletKey;
  readonly location: Point | undefined;
}

interface Policy {
  readonly clientCount: number;
  readonly intervalCount: number;
  readonly sites: readonly Site[];
}

interface Count {
  readonly cloudlet: CloudletKey;
  value: number;
  /** As it was told last at the end of a period. */
  told: number;
}

interface App {
  readonly app: DemandApp;
  readonly policies: readonly string[];
  /** By cloudlet. */
  readonly counts: Map<string, Count>;
}

/** What demand is told with. */
export interface DemandOptions {
  /** Name of this process. */
  readonly dmeId: string;
  /** Organization of clusters that the platform makes. */
  readonly platformOrganization: string;
  now(): number;
  send(counts: AutoProvCounts): boolean;
}

/** Choice of one policy, or of all so far. */
interface Choice {
  site: Site | undefined;
  policy: Policy | undefined;
  km: number;
}

/**
 * Counts how often a device would have been better served by an app on a cloudlet of one of the app's policies (DME
 * specification 4.9). Costs a search nothing for apps without policies.
 */
export class Demand {
  readonly #options: DemandOptions;
  readonly #apps = new Map<string, App>();
  readonly #policies = new Map<string, Policy>();
  readonly #cloudlets = new Map<string, DemandCloudlet>();
  /** Free reservable clusters: by cloudlet, what they run and their flavor, by cluster. */
  readonly #free = new Map<string, Map<string, string>>();

  constructor(options: DemandOptions) {
    this.#options = options;
  }

  setApp(app: DemandApp): void {
    const { organization, name, version } = app.key;
    const id = appId(organization, name, version);
    const policies = app.autoProvPolicies.map((policy) => `${organization}\n${policy}`);
    const before = this.#apps.get(id);
    if (policies.length === 0) return void this.#apps.delete(id);
    // With a policy goes what was counted for it.
    const kept = before?.policies.every((policy) => policies.includes(policy));
    this.#apps.set(id, { app, policies, counts: kept ? before!.counts : new Map() });
  }

  removeApp({ organization, name, version }: DemandApp["key"]): void {
    this.#apps.delete(appId(organization, name, version));
  }

  setPolicy({ key, deployClientCount, deployIntervalCount, cloudlets }: AutoProvPolicy): void {
    this.#policies.set(`${key.organization}\n${key.name}`, {
      clientCount: deployClientCount,
      intervalCount: Math.max(1, deployIntervalCount),
      sites: cloudlets.map(({ key, loc }) => ({ id: cloudletId(key), key, location: loc })),
    });
  }

  removePolicy({ organization, name }: { organization: string; name: string }): void {
    this.#policies.delete(`${organization}\n${name}`);
  }

  setCloudlet(cloudlet: DemandCloudlet): void {
    this.#cloudlets.set(cloudletId(cloudlet.key), cloudlet);
  }

  removeCloudlet(key: CloudletKeyShape): void {
    this.#cloudlets.delete(cloudletId(key));
  }

  setCluster(
    { key, reservable, reservedBy, state, deployment, flavor }: Pick<
      ClusterInst,
      "key" | "reservable" | "reservedBy" | "state" | "deployment" | "flavor"
    >,
  ): void {
    if (!reservable || reservedBy !== "" || state !== TrackedState.READY) return this.removeCluster(key);
    const cloudlet = cloudletId(key.cloudletKey);
    const clusters = this.#free.get(cloudlet) ?? new Map<string, string>();
    this.#free.set(cloudlet, clusters);
    clusters.set(clusterId(key), kindOfCluster(deployment, flavor.name));
  }

  removeCluster(key: ClusterInst["key"]): void {
    const cloudlet = cloudletId(key.cloudletKey);
    const clusters = this.#free.get(cloudlet);
    clusters?.delete(clusterId(key));
    if (clusters?.size === 0) this.#free.delete(cloudlet);
  }

  /**
   * A device has searched for an app.
   *
   * @param id table id of the app
   * @param carrier organization of its carrier, "" for any
   * @param foundKm distance of what it was given, public clouds farther than they are; undefined: nothing
   */
  searched(id: string, carrier: string, from: Point, foundKm: number | undefined): void {
    const entry = this.#apps.get(id);
    if (entry === undefined) return;
    const best: Choice = { site: undefined, policy: undefined, km: Infinity };
    for (const name of entry.policies) {
      const policy = this.#policies.get(name);
      if (policy === undefined || policy.clientCount === 0) continue;
      this.#choose(entry.app, policy, carrier, from, foundKm ?? NOWHERE_KM, best);
    }
    if (best.site !== undefined) this.#count(entry, best.site, best.policy!);
  }

  /** What has changed since the last time; undefined: nothing. It counts as told. */
  collect(): AutoProvCounts | undefined {
    const counts: DeepPartial<AutoProvCounts["counts"][0]>[] = [];
    for (const { app, counts: byCloudlet } of this.#apps.values()) {
      for (const count of byCloudlet.values()) {
        if (count.value === count.told) continue;
        count.told = count.value;
        counts.push({ appKey: app.key, cloudletKey: count.cloudlet, count: count.value });
      }
    }
    return counts.length === 0 ? undefined : this.#message(counts);
  }

  #choose(app: DemandApp, policy: Policy, carrier: string, from: Point, limitKm: number, best: Choice): void {
    let chosen: Site | undefined;
    let chosenKm = Infinity;
    let chosenFree = false;
    for (const site of policy.sites) {
      const km = this.#distance(site, carrier, from);
      if (!(km < limitKm)) continue;
      const free = this.#hasFree(site.id, app);
      if (free === chosenFree ? km > chosenKm : chosenFree) continue;
      chosen = site;
      chosenKm = km;
      chosenFree = free;
    }
    if (chosen === undefined) return;
    const { policy: other } = best;
    const better = other === undefined || chosenKm < best.km || (chosenKm === best.km &&
      (policy.intervalCount < other.intervalCount ||
        (policy.intervalCount === other.intervalCount && policy.clientCount < other.clientCount)));
    if (!better) return;
    best.site = chosen;
    best.policy = policy;
    best.km = chosenKm;
  }

  /** Infinite for a cloudlet that is not known, or not for this carrier. */
  #distance(site: Site, carrier: string, from: Point): number {
    const cloudlet = this.#cloudlets.get(site.id);
    const location = cloudlet?.location ?? site.location;
    if (cloudlet === undefined || location === undefined || !isValidPoint(location)) return Infinity;
    const owner = cloudlet.key.organization;
    let pad = 0;
    if (carrier !== "" && owner !== carrier && !cloudlet.allianceOrgs.includes(carrier)) {
      if (!PUBLIC_CLOUDS.includes(owner)) return Infinity;
      pad = PUBLIC_CLOUD_PAD_KM;
    }
    return distanceKm(from, location) + pad;
  }

  #hasFree(cloudlet: string, app: DemandApp): boolean {
    const clusters = this.#free.get(cloudlet);
    if (clusters === undefined) return false;
    const wanted = kindOfCluster(app.deployment, app.defaultFlavor.name);
    for (const kind of clusters.values()) if (kind === wanted) return true;
    return false;
  }

  #count({ app, counts }: App, site: Site, policy: Policy): void {
    let count = counts.get(site.id);
    if (count === undefined) counts.set(site.id, count = { cloudlet: site.key, value: 0, told: 0 });
    count.value++;
    if (policy.intervalCount > 1 || count.value - count.told < policy.clientCount) return;
    this.#options.send(this.#message([{
      appKey: app.key,
      cloudletKey: site.key,
      count: count.value,
      processNow: true,
      deployNowKey: {
        clusterKey: { name: DEPLOY_CLUSTER },
        cloudletKey: site.key,
        organization: this.#options.platformOrganization,
      },
    }]));
  }

  #message(counts: DeepPartial<AutoProvCounts["counts"][0]>[]): AutoProvCounts {
    const nowMs = this.#options.now();
    const seconds = Math.floor(nowMs / 1000);
    const timestamp = { seconds, nanos: Math.floor(nowMs - seconds * 1000) * 1_000_000 };
    return AutoProvCounts.create({ dmeNodeName: this.#options.dmeId, timestamp, counts });
  }
}

function clusterId({ clusterKey, organization }: ClusterInst["key"]): string {
  return `${organization}\n${clusterKey.name}`;
}

/** Clusters and apps of the same text fit; charts run on Kubernetes. */
function kindOfCluster(deployment: string, flavor: string): string {
  return `${deployment === "helm" ? "kubernetes" : deployment}\n${flavor}`;
}
