import type { NodeName, NotifyHub } from "../notify/mod.ts";
import { viewHub } from "../notify/mod.ts";
import { type NodeKey, NotifyNode } from "../schema/mod.ts";
import { isAround, keyOf } from "./filter.ts";

/** Said of a node that was asked in vain. */
export const SILENT = "has not answered in time";

/** The children of a hub, as it sees them. @param now ms since 1970. */
export function childrenOf(hub: NotifyHub, parent: string, now: number): NotifyNode[] {
  const children = new Map(hub.streams().map(({ child }) => [child.name, child]));
  return viewHub(hub, now).streams.map((stream) => {
    const { instance, region } = children.get(stream.name)!;
    return NotifyNode.create({
      key: keyOf({ service: stream.service, region, cloudlet: stream.cloudlet, instance }),
      parent,
      address: stream.address,
      inStep: stream.inStep,
      lag: stream.lag,
      behind: { ...stream.behind },
      queued: stream.queuedMessages,
      dropped: stream.droppedMessages,
      sentBytes: stream.sentBytes,
      sentEntries: stream.sentEntries,
      receivedBytes: stream.receivedBytes,
      receivedEntries: stream.receivedEntries,
      snapshots: stream.snapshots,
      resumes: stream.resumes,
      reconnects: stream.reconnects,
      connectedSeconds: stream.connectedSeconds,
    });
  });
}

/**
 * Puts the reports of all nodes together into one tree, each node before those below it.
 * @param reports children by name of their parent.
 */
export function assemble(
  root: NodeKey,
  reports: ReadonlyMap<string, readonly NotifyNode[]>,
  silent: readonly NodeName[],
): NotifyNode[] {
  const mute = new Set(silent.map(({ instance }) => instance));
  const rows = [NotifyNode.create({ key: root, inStep: true })];
  const placed = new Set([root.name]);
  (function below(parent: string, depth: number): void {
    for (const child of reports.get(parent) ?? []) {
      // A child that moved while it was asked for may be told twice.
      if (placed.has(child.key.name)) continue;
      placed.add(child.key.name);
      rows.push({ ...child, depth, error: mute.has(child.key.name) ? SILENT : "" });
      below(child.key.name, depth + 1);
    }
  })(root.name, 1);
  return rows;
}

/** Those of the silent nodes that matter to a filter. */
export function silentKeys(silent: readonly NodeName[], filter: NodeKey): NodeKey[] {
  return silent.map(keyOf).filter((key) => isAround(key, filter));
}
