import { type Place, placeOf, type Point } from "./geo.ts";
import { SpatialSet } from "./spatial_set.ts";

/** A usable instance as it lies in the sets. */
export interface Candidate {
  readonly place: Place;
  /** Carrier that owns its cloudlet. */
  readonly own: string;
  /** Other carriers whose subscribers may use it, each once. */
  readonly alliances: readonly string[];
  /** What the alliances were made of. */
  readonly allianceOrgs: readonly string[];
}

/**
 * The usable instances of one app by carrier. An instance belongs to the carrier that owns its cloudlet and to each
 * carrier allied with that cloudlet; a search for any carrier takes the set of all, where each is once.
 */
export class Candidates<M> {
  readonly all: SpatialSet<M> = new SpatialSet();
  readonly #byCarrier = new Map<string, SpatialSet<M>>();
  readonly #candidates = new Map<M, Candidate>();
  /** Carriers that own or have owned candidates; the tag of a place is the number of the one that does. */
  readonly #owners: string[] = [];

  /** Instances that subscribers of a carrier may use, allies' included. */
  of(carrier: string): SpatialSet<M> | undefined {
    return this.#byCarrier.get(carrier);
  }

  /** The carrier that owns a candidate whose place has this tag. */
  owner(tag: number): string {
    return this.#owners[tag]!;
  }

  /** What is known of a member; undefined when it is not in. */
  get(member: M): Candidate | undefined {
    return this.#candidates.get(member);
  }

  /** Adds a member, or brings its place and carriers up to date. */
  put(member: M, location: Point, own: string, allianceOrgs: readonly string[]): void {
    const held = this.#candidates.get(member);
    if (held !== undefined) {
      const { latitude, longitude } = held.place;
      const stays = latitude === location.latitude && longitude === location.longitude;
      if (stays && held.own === own && sameTexts(held.allianceOrgs, allianceOrgs)) return;
      this.#take(member, held);
    }
    const place = placeOf(location, this.#ownerTag(own));
    const alliances = [...new Set(allianceOrgs)].filter((org) => org !== "" && org !== own);
    this.#candidates.set(member, { place, own, alliances, allianceOrgs });
    this.all.add(member, place);
    this.#set(own).add(member, place);
    for (const org of alliances) this.#set(org).add(member, place);
  }

  remove(member: M): void {
    const held = this.#candidates.get(member);
    if (held === undefined) return;
    this.#candidates.delete(member);
    this.#take(member, held);
  }

  #take(member: M, { place, own, alliances }: Candidate): void {
    this.all.remove(member, place);
    this.#takeFrom(own, member, place);
    for (const org of alliances) this.#takeFrom(org, member, place);
  }

  #takeFrom(carrier: string, member: M, place: Place): void {
    const set = this.#byCarrier.get(carrier)!;
    set.remove(member, place);
    if (set.size === 0) this.#byCarrier.delete(carrier);
  }

  #ownerTag(own: string): number {
    const known = this.#owners.indexOf(own);
    return known < 0 ? this.#owners.push(own) - 1 : known;
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

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a === b || a.length === b.length && a.every((text, index) => text === b[index]);
}
