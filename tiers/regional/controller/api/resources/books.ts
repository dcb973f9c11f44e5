import { platformFeatures } from "../../../../../shared/platform_types/mod.ts";
import {
  AppInstKind,
  CloudletKind,
  CloudletRefs,
  CloudletRefsKind,
  FlavorKind,
} from "../../../../../shared/schema/mod.ts";
import { addToSums } from "../../rules/cloudlet_refs.ts";
import type { Region } from "../../state/region.ts";
import { instanceNeeds, siteOf } from "./site.ts";

/**
 * Opens the books of cloudlets whose instances were made before there were books. Only sites that count instances can
 * have such: earlier controllers made nothing else. Run before calls are served.
 */
export async function openBooks({ cache, change }: Region): Promise<void> {
  const without = [...cache.table(CloudletKind)].filter(([key, { platformType }]) =>
    cache.get(CloudletRefsKind, key) === undefined && platformFeatures(platformType).counts === "instances"
  );
  const books = new Map(without.map(([key, cloudlet]) => {
    return [key, { site: siteOf(cloudlet, undefined, {}), refs: CloudletRefs.create({ key: cloudlet.key }), count: 0 }];
  }));
  if (books.size === 0) return;
  for (const { key, flavor } of cache.table(AppInstKind).values()) {
    const book = books.get(CloudletKind.keyString(key.clusterInstKey.cloudletKey));
    const size = cache.get(FlavorKind, FlavorKind.keyString(flavor));
    if (book === undefined || size === undefined) continue;
    addToSums(book.refs, instanceNeeds(book.site, size), 1);
    book.count++;
  }
  for (const [key, { refs, count }] of books) {
    if (count === 0) continue;
    await change(async (tx) => {
      if (await tx.get(CloudletRefsKind, key) === undefined) tx.put(CloudletRefsKind, refs);
    });
  }
}
