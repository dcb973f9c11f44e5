import {
  type AppSpec,
  type ClusterSpec,
  type InfraFlavor,
  type InfraMachine,
  type PlatformContext,
  PlatformError,
  propertyValue,
  type ResourceUse,
} from "../../shared/platform/mod.ts";
import { META, Variable } from "./meta.ts";
import { Records } from "./records.ts";
import { type Amounts, amountsOf, balancerAmounts, balancerSize, parseFlavors, sum } from "./sizes.ts";
import { Steps } from "./steps.ts";

/** An instance that is pretended to run. */
export interface AppRecord {
  readonly key: string;
  readonly id: string;
  readonly spec: AppSpec;
  readonly fingerprint: string;
  readonly runtimeId: string;
  readonly state: "running" | "restarting" | "stopped";
  /** Place of its own address among those of the site; absent: it has none. */
  readonly place?: number;
}

/** A cluster that is pretended to be there. */
export interface ClusterRecord {
  readonly key: string;
  readonly id: string;
  readonly spec: ClusterSpec;
  /** As of instances. */
  readonly place?: number;
}

/** Everything that a site's pretended infrastructure is made of. */
export interface Infrastructure {
  readonly context: PlatformContext;
  readonly apps: Records<AppRecord>;
  readonly clusters: Records<ClusterRecord>;
  readonly steps: Steps;
  readonly flavors: readonly InfraFlavor[];
  readonly max: Amounts;
  readonly missingImages: string;
  readonly firstAddress: string;
}

/** Opens the infrastructure of a site, with what earlier processes left of it. */
export async function openInfrastructure(context: PlatformContext): Promise<Infrastructure> {
  const { files, directory, clock, variables } = context;
  const value = (name: string) => propertyValue(META, variables, name)!;
  const apps = new Records<AppRecord>(files, `${directory}/apps`);
  const clusters = new Records<ClusterRecord>(files, `${directory}/clusters`);
  await apps.load();
  await clusters.load();
  return {
    context,
    apps,
    clusters,
    steps: new Steps(clock, {
      fail: value(Variable.fail),
      stall: value(Variable.stall),
      delayMs: Number(value(Variable.delay)),
    }),
    flavors: parseFlavors(value(Variable.flavors)),
    max: {
      ramMb: Number(value(Variable.ramMax)),
      vcpus: Number(value(Variable.vcpusMax)),
      diskGb: Number(value(Variable.diskMax)),
      gpus: Number(value(Variable.gpusMax)),
      externalIps: Number(value(Variable.externalIpsMax)),
    },
    missingImages: value(Variable.missingImages),
    firstAddress: value(Variable.addresses),
  };
}

/** Machines of the platform's own: the one that it runs on, and the load balancer that clusters share. */
export function platformMachines({ context, flavors }: Infrastructure): InfraMachine[] {
  const machine = (type: string, flavor: string) => ({
    name: `${context.physicalName}-${type}`,
    type,
    status: "ACTIVE",
    flavor,
  });
  return [machine("platform", flavors[0]?.name ?? ""), machine("sharedrootlb", balancerSize(flavors))];
}

/** Machines of a cluster. */
export function clusterMachines({ flavors }: Infrastructure, spec: ClusterSpec): InfraMachine[] {
  const kind = spec.deployment === "docker" ? "docker-cluster" : "k8s-cluster";
  const machines: InfraMachine[] = [];
  const add = (type: string, count: number, flavor: string) => {
    for (let i = 1; i <= count; i++) machines.push({ name: `${spec.id}-${type}-${i}`, type, status: "ACTIVE", flavor });
  };
  add(`${kind}-master`, spec.masters?.count ?? 0, spec.masters?.size ?? "");
  add(`${kind}-node`, spec.nodes?.count ?? 0, spec.nodes?.size ?? "");
  add("dedicatedrootlb", spec.dedicatedAddress ? 1 : 0, balancerSize(flavors));
  return machines;
}

/** What a cluster takes. */
export function clusterAmounts({ flavors }: Infrastructure, spec: ClusterSpec): Amounts {
  const groups = [spec.masters, spec.nodes].map((group) =>
    group ? amountsOf(flavors, group.size, spec.flavor, group.count, spec.externalVolumeGb) : NOTHING
  );
  return sum([...groups, spec.dedicatedAddress ? balancerAmounts(flavors) : NOTHING]);
}

/** What an instance takes beside its cluster: a machine takes its size and a load balancer. */
export function appAmounts({ flavors }: Infrastructure, spec: AppSpec): Amounts {
  if (spec.deployment !== "vm") return NOTHING;
  return sum([amountsOf(flavors, spec.size ?? "", spec.flavor, 1, spec.externalVolumeGb), balancerAmounts(flavors)]);
}

/** Throws {@linkcode PlatformError} (Quota) when there is not enough for something that is to come, or to grow. */
export function requireRoom(infrastructure: Infrastructure, key: string, wanted: Amounts): void {
  const used = usedAmounts(infrastructure, key);
  for (const [name, label] of Object.entries(LABELS) as [keyof Amounts, string][]) {
    const max = infrastructure.max[name];
    if (wanted[name] > 0 && used[name] + wanted[name] > max) {
      throw new PlatformError(
        "Quota",
        `The infrastructure has not enough ${label}: ${wanted[name]} wanted, ${
          Math.max(0, max - used[name])
        } of ${max} free`,
      );
    }
  }
}

/** Resources in use and what there is of them. */
export function resourceUse(infrastructure: Infrastructure): ResourceUse[] {
  const used = usedAmounts(infrastructure);
  const units: Partial<Record<keyof Amounts, string>> = { ramMb: "MB", diskGb: "GB" };
  return (Object.entries(LABELS) as [keyof Amounts, string][]).map(([name, label]) => ({
    name: label,
    used: used[name],
    max: infrastructure.max[name],
    units: units[name] ?? "",
  }));
}

/** What is in use by everything but one key. */
function usedAmounts(infrastructure: Infrastructure, but = ""): Amounts {
  const { apps, clusters, flavors } = infrastructure;
  const others = <T extends { readonly key: string }>(records: T[]) => records.filter(({ key }) => key !== but);
  return sum([
    { ...amountsOf(flavors, flavors[0]?.name ?? "", SMALL, 1), externalIps: 1 },
    balancerAmounts(flavors),
    ...others(clusters.all()).map(({ spec }) => clusterAmounts(infrastructure, spec)),
    ...others(apps.all()).map(({ spec }) => appAmounts(infrastructure, spec)),
  ]);
}

const NOTHING: Amounts = { ramMb: 0, vcpus: 0, diskGb: 0, gpus: 0, externalIps: 0 };
const SMALL = { vcpus: 1, ramMb: 1024, diskGb: 20 };
const LABELS: Readonly<Record<keyof Amounts, string>> = {
  ramMb: "RAM",
  vcpus: "vCPUs",
  diskGb: "Disk",
  gpus: "GPUs",
  externalIps: "External IPs",
};
