import type { dme } from "../../../../shared/schema/mod.ts";
import type { RegionInstance } from "../api/mod.ts";
import type { ProvenSession } from "../cookies/mod.ts";
import type { CloudletKeyShape, InstanceKeyShape } from "../matching/mod.ts";

/** An instance that a device was given. */
export interface Given {
  /** As {@link edgeInstanceId} has it. */
  readonly id: string;
  /** Undefined when the tables did not know it. */
  readonly entry: RegionInstance | undefined;
}

/** A device on an event stream, as those see it who have something to tell it. */
export interface EdgeClient {
  readonly session: ProvenSession;
  /** Table id of the app. */
  readonly app: string;
  /** The instance of its edge-events cookie, as {@link edgeInstanceId} has it; it need not exist. */
  readonly instance: string;
  /** That instance's cloudlet, as {@link edgeCloudletId} has it. */
  readonly cloudlet: string;
  /** Carrier by which it is served: an organization, an operator code, or "" for any. */
  carrier: string;
  /** Where it was last. */
  location: dme.Loc;
  /** What it began with. */
  readonly first: Given;
  /** What it was given last; undefined when that is of no use any more. */
  given: Given | undefined;
  /** Queues an event; never waits, never throws. */
  send(event: dme.ServerEdgeEvent): void;
}

/** Names a cloudlet as the cookie does, which knows no federation. */
export function edgeCloudletId({ organization, name }: Pick<CloudletKeyShape, "organization" | "name">): string {
  return `${organization}\n${name}`;
}

/** Names an instance as the cookies do. @param app table id of the app */
export function edgeInstanceId(app: string, cluster: InstanceKeyShape["clusterInstKey"]): string {
  return `${app}\n${edgeCloudletId(cluster.cloudletKey)}\n${cluster.organization}\n${cluster.clusterKey.name}`;
}

/** The devices on event streams of this process, by what may happen to them. */
export class EdgeClients {
  readonly #byInstance = new Groups();
  readonly #byCloudlet = new Groups();
  readonly #byApp = new Groups();

  add(client: EdgeClient): void {
    this.#byInstance.add(client.instance, client);
    this.#byCloudlet.add(client.cloudlet, client);
    this.#byApp.add(client.app, client);
  }

  remove(client: EdgeClient): void {
    this.#byInstance.remove(client.instance, client);
    this.#byCloudlet.remove(client.cloudlet, client);
    this.#byApp.remove(client.app, client);
  }

  ofInstance(id: string): ReadonlySet<EdgeClient> | undefined {
    return this.#byInstance.get(id);
  }

  ofCloudlet(id: string): ReadonlySet<EdgeClient> | undefined {
    return this.#byCloudlet.get(id);
  }

  ofApp(id: string): ReadonlySet<EdgeClient> | undefined {
    return this.#byApp.get(id);
  }

  /**
   * Takes out whoever uses an instance that is gone, and returns them. They stay among the clients of their app, so that
   * they learn when there is another one for them.
   */
  dropInstance(id: string): ReadonlySet<EdgeClient> | undefined {
    const clients = this.#byInstance.take(id);
    for (const client of clients ?? []) this.#byCloudlet.remove(client.cloudlet, client);
    return clients;
  }

  /** The same for a cloudlet. */
  dropCloudlet(id: string): ReadonlySet<EdgeClient> | undefined {
    const clients = this.#byCloudlet.take(id);
    for (const client of clients ?? []) this.#byInstance.remove(client.instance, client);
    return clients;
  }
}

/** Sets by text, without empty ones. */
class Groups {
  readonly #groups = new Map<string, Set<EdgeClient>>();

  get(key: string): ReadonlySet<EdgeClient> | undefined {
    return this.#groups.get(key);
  }

  add(key: string, client: EdgeClient): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Set([client]));
    else group.add(client);
  }

  remove(key: string, client: EdgeClient): void {
    const group = this.#groups.get(key);
    if (group?.delete(client) && group.size === 0) this.#groups.delete(key);
  }

  take(key: string): ReadonlySet<EdgeClient> | undefined {
    const group = this.#groups.get(key);
    this.#groups.delete(key);
    return group;
  }
}
