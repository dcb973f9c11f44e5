import { widened } from "./buckets.ts";
import { placeOf, type Point } from "./geo.ts";
import { SpatialSet } from "./spatial_set.ts";

/** How a usable instance lies in the sets. */
interface Membership {
  /** Its number in the sets. */
  readonly id: number;
  /** Carrier that owns its cloudlet. */
  readonly own: string;
  /** Other carriers whose subscribers may use it, each once. */
  readonly alliances: readonly string[];
  /** What the alliances were made of. */
  readonly allianceOrgs: readonly string[];
}

const INITIAL_ROOM = 4;

/**
 * The usable instances of one app by carrier. An instance belongs to the carrier that owns its cloudlet and to each
 * carrier allied with that cloudlet; a search for any carrier takes the set of all, where each is once. The sets know
 * numbers; what a few of them stand for is looked up here at the end of a search.
 */
export class Candidates<M> {
  readonly all: SpatialSet = new SpatialSet();
  readonly #byCarrier = new Map<string, SpatialSet>();
  readonly #memberships = new Map<M, Membership>();
  // By number.
  readonly #members: (M | undefined)[] = [];
  readonly #owners: string[] = [];
  #degrees = new Float64Array(INITIAL_ROOM * 2);
  readonly #free: number[] = [];

  /** Instances that subscribers of a carrier may use, allies' included. */
  of(carrier: string): SpatialSet | undefined {
    return this.#byCarrier.get(carrier);
  }

  /** What a number in the sets stands for. */
  member(id: number): M {
    return this.#members[id]!;
  }

  /** Carrier that owns it. */
  owner(id: number): string {
    return this.#owners[id]!;
  }

  /** Degrees where it is. */
  latitude(id: number): number {
    return this.#degrees[id * 2]!;
  }

  /** Degrees where it is. */
  longitude(id: number): number {
    return this.#degrees[id * 2 + 1]!;
  }

  /** The number of a member that subscribers of one of some carriers may use. */
  idFor(member: M, carriers: readonly string[]): number | undefined {
    const held = this.#memberships.get(member);
    if (held === undefined) return undefined;
    const isFor = (carrier: string) => carrier === "" || carrier === held.own || held.alliances.includes(carrier);
    return carriers.some(isFor) ? held.id : undefined;
  }

  /** Adds a member, or brings its place and carriers up to date. */
  put(member: M, location: Point, own: string, allianceOrgs: readonly string[]): void {
    const { latitude, longitude } = location;
    const held = this.#memberships.get(member);
    if (held !== undefined) {
      const stays = this.latitude(held.id) === latitude && this.longitude(held.id) === longitude;
      if (stays && held.own === own && sameTexts(held.allianceOrgs, allianceOrgs)) return;
      this.remove(member);
    }
    const id = this.#free.pop() ?? this.#members.length;
    const alliances = [...new Set(allianceOrgs)].filter((org) => org !== "" && org !== own);
    this.#memberships.set(member, { id, own, alliances, allianceOrgs });
    this.#members[id] = member;
    this.#owners[id] = own;
    if (id * 2 === this.#degrees.length) this.#degrees = widened(this.#degrees, new Float64Array(id * 4));
    this.#degrees[id * 2] = latitude;
    this.#degrees[id * 2 + 1] = longitude;
    const place = placeOf(location);
    this.all.add(id, place);
    this.#set(own).add(id, place);
    for (const org of alliances) this.#set(org).add(id, place);
  }

  remove(member: M): void {
    const held = this.#memberships.get(member);
    if (held === undefined) return;
    const { id, own, alliances } = held;
    const place = placeOf({ latitude: this.latitude(id), longitude: this.longitude(id) });
    this.all.remove(id, place);
    for (const org of [own, ...alliances]) {
      const set = this.#byCarrier.get(org)!;
      set.remove(id, place);
      if (set.size === 0) this.#byCarrier.delete(org);
    }
    this.#memberships.delete(member);
    this.#members[id] = undefined;
    this.#free.push(id);
  }

  #set(carrier: string): SpatialSet {
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
