import {
  App,
  AppInst,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  Flavor,
  FlavorKind,
  type ObjectKind,
  PlatformType,
  TrackedState,
} from "../../../shared/schema/mod.ts";
import type { Op, Store } from "../../../shared/store/mod.ts";
import { cloudletLabel } from "../../../tiers/regional/controller/rules/dns_labels.ts";
import { encodeObject } from "../../../tiers/regional/controller/state/rows.ts";
import { instance } from "../notify/instances.ts";

/** Kinds whose creation is measured: the plainest one, and one with rules, defaults and a reference. */
export type CreatedKind = "flavor" | "app";

/** Rows of one transaction, below the limit of etcd. */
const ROWS = 100;
/** Instances of one app, as {@linkcode instance} names them; they are spread over so many cloudlets. */
const SPREAD = 1_000;

/** A flavor as callers create one. */
export function newFlavor(name: string): Flavor {
  return Flavor.create({ key: { name }, ram: 1_024, vcpus: 1, disk: 1 });
}

/** An app as callers create one. */
export function newApp(name: string): App {
  return App.create({
    key: { organization: "acme", name, version: "1.0" },
    imagePath: "/srv/shop.ts",
    accessPorts: "tcp:443,udp:8000-8009",
    defaultFlavor: { name: "m4.small" },
    deployment: "process",
  });
}

/**
 * Puts instances, and the apps, cloudlets and flavor that they refer to, into a store, as if they had been there always.
 * @param from first one, by number
 * @param to the one after the last
 */
export async function fill(store: Store, from: number, to: number): Promise<void> {
  let ops: Op[] = [];
  const flush = async (): Promise<void> => {
    if (ops.length > 0) await store.transact([], ops);
    ops = [];
  };
  const put = async <T, K>(kind: ObjectKind<T, K>, object: T): Promise<void> => {
    ops.push({ type: "put", key: kind.storeKey(kind.key(object)), value: encodeObject(kind, object) });
    if (ops.length === ROWS) await flush();
  };
  if (from === 0) await put(FlavorKind, newFlavor("m4.small"));
  for (let i = from; i < to; i++) {
    if (i % SPREAD === 0) await put(AppKind, newApp(`shop-${i / SPREAD}`));
    if (i < SPREAD) await put(CloudletKind, cloudlet(`berlin-${i}`));
    await put(AppInstKind, AppInst.decode(instance(i).value));
  }
  await flush();
}

function cloudlet(name: string): Cloudlet {
  const key = { organization: "telco", name, federatedOrganization: "" };
  return CloudletKind.message.create({
    key,
    location: { latitude: 52.5, longitude: 13.4 },
    numDynamicIps: 10,
    platformType: PlatformType.PLATFORM_TYPE_FAKE,
    state: TrackedState.READY,
    dnsLabel: cloudletLabel(key),
  });
}
