import type { StoreDeps } from "./deps.ts";
import type { Store } from "./store.ts";
import { parseStoreUrl } from "./url.ts";

/**
 * Opens the store that `url` names: `sqlite:PATH`, `sqlite::memory:` (lost on close) or `etcd:https://h1:2379,…`.
 * A sqlite file belongs to one process at a time; a second one is refused until the first has ended in whatever way.
 *
 * @throws StoreError `url`, `open`, `locked`, `foreign`, `newer` or `full`. An etcd that does not answer is no error
 * here: calls report it, and work once it is back.
 */
export async function openStore(url: string, deps: StoreDeps = {}): Promise<Store> {
  const parsed = parseStoreUrl(url);
  // Loaded on demand: the etcd client costs a service that does not use it some 20 MiB.
  switch (parsed.driver) {
    case "sqlite":
      return (await import("./sqlite/driver.ts")).openSqliteStore(parsed.path, deps);
    case "etcd":
      return (await import("./etcd/driver.ts")).openEtcdStore(parsed.endpoints, deps);
  }
}
