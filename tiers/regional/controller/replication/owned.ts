import { type NotifyHub, onOwnedObject } from "../../../../shared/notify/mod.ts";
import {
  AppInstInfoKind,
  CloudletInfoKind,
  CloudletKind,
  ClusterInstInfoKind,
  type ObjectKind,
} from "../../../../shared/schema/mod.ts";
import type { SiteReports } from "./site_reports.ts";

/** Takes what sites own, each only what concerns itself, and passes it on. */
export function receiveReports(hub: NotifyHub, reports: SiteReports): void {
  onOwnedObject(hub, CloudletInfoKind, {
    update: (info, key, child) => reports.cloudlet(key, info, child.id),
    remove: (key) => reports.cloudletGone(key),
  }, { scopeOf: (key) => key });
  onOwnedObject(hub, ClusterInstInfoKind, {
    update: (info, key) => reports.clusterInst(key, info),
    remove() {},
  }, { scopeOf: (key) => siteOf(ClusterInstInfoKind, key, (parsed) => parsed.cloudletKey) });
  onOwnedObject(hub, AppInstInfoKind, {
    update: (info, key) => reports.appInst(key, info),
    remove: (key) => reports.appInstGone(key),
  }, { scopeOf: (key) => siteOf(AppInstInfoKind, key, (parsed) => parsed.clusterInstKey.cloudletKey) });
}

/** The site that a key is about; none when the key is no key, which then no site may own. */
function siteOf<T, K>(
  kind: ObjectKind<T, K>,
  key: string,
  cloudletOf: (key: K) => Parameters<typeof CloudletKind.keyString>[0],
): string | undefined {
  try {
    return CloudletKind.keyString(cloudletOf(kind.parseKey(key)));
  } catch {
    return undefined;
  }
}
