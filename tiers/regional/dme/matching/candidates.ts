import type { Point } from "./geo.ts";
import { SpatialSet } from "./spatial_set.ts";

interface Membership {
  latitude: number;
  longitude: number;
  own: string;
  alliances: readonly string[];
}

/**
 * The usable instances of one app by carrier. An instance belongs to the carrier that owns its cloudlet and to each
 * carrier allied with that cloudlet; a search for any carrier takes the set of all, where each is once.
 */
export class Candidates<M> {
  readonly all: SpatialSet<M> = new SpatialSet<M>();
  readonly #byCarrier = new Map<string, SpatialSet<M>>();
  readonly #memberships = new Map<M, Membership>();

  /** Instances that subscribers of a carrier may use, allies' included. */
  of(carrier: string): SpatialSet<M> | undefined {
    return this.#byCarrier.get(carrier);
  }

  /** Adds a member, or brings its place and carriers up to date. */
  put(member: M, location: Point, own: string, allianceOrgs: readonly string[]): void {
    const alliances = [...new Set(allianceOrgs)].filter((org) => org !== "" && org !== own);
    const { latitude, longitude } = location;
    const held = this.#memberships.get(member);
    if (
      held !== undefined && held.latitude === latitude && held.longitude === longitude && held.own === own &&
      held.alliances.length === alliances.length && held.alliances.every((org, index) => org === alliances[index])
    ) return;
    this.remove(member);
    this.#memberships.set(member, { latitude, longitude, own, alliances });
    this.all.add(member, location);
    this.#set(own).add(member, location);
    for (const org of alliances) this.#set(org).add(member, location);
  }

  remove(member: M): void {
    const held = this.#memberships.get(member);
    if (held === undefined) return;
    this.#memberships.delete(member);
    this.all.remove(member);
    for (const org of [held.own, ...held.alliances]) {
      const set = this.#byCarrier.get(org)!;
      set.remove(member);
      if (set.size === 0) this.#byCarrier.delete(org);
    }
  }

  #set(carrier: string): SpatialSet<M> {
    let set = this.#byCarrier.get(carrier);
    if (set === undefined) {
      set = new SpatialSet();
      this.#byCarrier.set(carrier, set);
    }
    return set;
  }
}
