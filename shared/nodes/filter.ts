import type { GatherTarget, NodeName } from "../notify/mod.ts";
import { type CloudletKey, CloudletKind, NodeKey } from "../schema/mod.ts";

/** Whether a process fits a filter, in which what is empty does not matter. */
export function fits(key: NodeKey, filter: NodeKey): boolean {
  const same = (a: string | undefined, b: string | undefined): boolean => !b || a === b;
  return same(key.name, filter.name) && same(key.type, filter.type) && isAround(key, filter);
}

/** Whether a process is of the place that a filter names: who is silent there may hide others that fit. */
export function isAround(key: NodeKey, filter: NodeKey): boolean {
  const own = key.cloudletKey;
  const wanted = filter.cloudletKey;
  return (filter.region === "" || filter.region === key.region) &&
    (!wanted?.organization || own?.organization === wanted.organization) &&
    (!wanted?.name || own?.name === wanted.name) &&
    (!wanted?.federatedOrganization || own?.federatedOrganization === wanted.federatedOrganization);
}

/** Where a question goes for a filter; the rest of it each process judges by itself. */
export function targetOf(filter: NodeKey): GatherTarget {
  const cloudlet = filter.cloudletKey;
  return {
    service: filter.type || undefined,
    instance: filter.name || undefined,
    cloudlet: cloudlet?.organization && cloudlet.name ? CloudletKind.keyString(cloudlet) : undefined,
  };
}

/** A node of the tree as the schema names it. */
export function keyOf({ service, region, cloudlet, instance }: NodeName): NodeKey {
  return NodeKey.create({ name: instance, type: service, region, cloudletKey: cloudletOf(cloudlet) });
}

/** A child may call its place what it likes; only what is a key is told as one. */
function cloudletOf(text: string): CloudletKey | undefined {
  if (text === "") return undefined;
  try {
    return CloudletKind.parseKey(text);
  } catch {
    return undefined;
  }
}
