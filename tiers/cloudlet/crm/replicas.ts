import type { NotifyClient, TypedOwned, TypedReplica } from "../../../shared/notify/mod.ts";
import { typedOwned, typedReplica } from "../../../shared/notify/mod.ts";
import {
  type App,
  type AppInst,
  type AppInstInfo,
  AppInstInfoKind,
  type AppInstKey,
  AppInstKind,
  type AppKey,
  AppKind,
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  type ClusterInst,
  type ClusterInstInfo,
  ClusterInstInfoKind,
  type ClusterInstKey,
  ClusterInstKind,
  type Flavor,
  type FlavorKey,
  FlavorKind,
  type PolicyKey,
  type TrustPolicy,
  TrustPolicyKind,
} from "../../../shared/schema/mod.ts";
import type { Lookup } from "./specs.ts";

/** Kinds that a site's resource manager is told of. */
export const WANTED_KINDS = [FlavorKind, TrustPolicyKind, CloudletKind, ClusterInstKind, AppKind, AppInstKind].map((
  { kind },
) => kind);
/** Kinds that it is the truth of. */
export const OWNED_KINDS = [CloudletInfoKind, ClusterInstInfoKind, AppInstInfoKind].map(({ kind }) => kind);

/** What the site knows of the region, and what it reports. */
export interface Replicas {
  readonly cloudlets: TypedReplica<Cloudlet, CloudletKey>;
  readonly flavors: TypedReplica<Flavor, FlavorKey>;
  readonly trustPolicies: TypedReplica<TrustPolicy, PolicyKey>;
  readonly apps: TypedReplica<App, AppKey>;
  readonly clusters: TypedReplica<ClusterInst, ClusterInstKey>;
  readonly instances: TypedReplica<AppInst, AppInstKey>;
  readonly cloudletInfo: TypedOwned<CloudletInfo, CloudletKey>;
  readonly clusterInfo: TypedOwned<ClusterInstInfo, ClusterInstKey>;
  readonly instanceInfo: TypedOwned<AppInstInfo, AppInstKey>;
  readonly lookup: Lookup;
}

/** Typed views of a notify client. */
export function replicasOf(client: NotifyClient): Replicas {
  const replica = <T, K>(kind: Parameters<typeof typedReplica<T, K>>[1]) =>
    typedReplica<T, K>(client.replica(kind.kind), kind);
  const owned = <T, K>(kind: Parameters<typeof typedOwned<T, K>>[1]) => typedOwned<T, K>(client.own(kind.kind), kind);
  const flavors = replica(FlavorKind);
  const apps = replica(AppKind);
  const clusters = replica(ClusterInstKind);
  return {
    cloudlets: replica(CloudletKind),
    flavors,
    trustPolicies: replica(TrustPolicyKind),
    apps,
    clusters,
    instances: replica(AppInstKind),
    cloudletInfo: owned(CloudletInfoKind),
    clusterInfo: owned(ClusterInstInfoKind),
    instanceInfo: owned(AppInstInfoKind),
    lookup: {
      app: (instance) => apps.get(instance.key.appKey),
      flavor: (name) => flavors.get({ name }),
      cluster: (key) => clusters.get(key),
    },
  };
}
