import type { Candidates } from "./candidates.ts";
import { chordToKm, distanceKm, kmToChord, type Point, unitVector, type Vector } from "./geo.ts";
import { Distances, Hits, Nearest } from "./hits.ts";
import { rank, type Ranked, TIE_BAND_KM } from "./rank.ts";
import type { SpatialSet } from "./spatial_set.ts";

/** Organizations of public clouds, eligible for every carrier's subscribers. */
export const PUBLIC_CLOUDS: readonly string[] = ["azure", "gcp", "aws"];

/** What a public cloud must be nearer by to win over the subscriber's own operator, kilometres. */
export const PUBLIC_CLOUD_PAD_KM = 100;

/** Most instances that one list may hold, so that a single request cannot keep the process busy. */
export const MAX_LIST_LENGTH = 1000;

/**
 * Chords lose precision for points that almost coincide or lie opposite each other; whatever is this near to the best
 * by chord is compared by haversine.
 */
const SLACK_KM = 0.01;

/** What a matcher needs. */
export interface MatcherOptions<M> {
  location(member: M): Point;
  /** Carrier that owns the member's cloudlet. */
  owner(member: M): string;
  /** Text that orders members at equal distance. */
  text(member: M): string;
  /** Organization of an operator code, or undefined when the text is no code. */
  carrierOfCode(code: string): string | undefined;
  /** Spreads the load among candidates of almost equal distance; undefined turns that off. */
  random?: () => number;
}

/** Who asks, from where. */
export interface Query extends Point {
  /** Organization or operator code; "" for any carrier. */
  carrier: string;
}

/** Finds the nearest candidates of an app. */
export interface Matcher<M> {
  /** The candidate to use. */
  find(candidates: Candidates<M>, query: Query): Ranked<M> | undefined;
  /** The best `limit` candidates, best first; at most {@link MAX_LIST_LENGTH}. */
  list(candidates: Candidates<M>, query: Query, limit: number): Ranked<M>[];
  /** Distance of one member with its padding; undefined when it is no candidate for the query. */
  distanceTo(candidates: Candidates<M>, query: Query, member: M): number | undefined;
  /** Whether a candidate at this distance shares the load of the best one. */
  isTie(km: number, bestKm: number): boolean;
}

/** One set of eligible candidates of the lookup under way. */
interface Source<M> {
  set: SpatialSet<M>;
  padKm: number;
  /** "" for the set of all carriers. */
  carrier: string;
  /** Where its hits end in the list of all. */
  end?: number;
}

/** Makes a matcher that follows the specified rules (DME specification 4.3 to 4.5). */
export function createMatcher<M>(options: MatcherOptions<M>): Matcher<M> {
  const hits = new Hits<M>();
  const distances = new Distances();
  const bandKm = options.random === undefined ? SLACK_KM : TIE_BAND_KM + SLACK_KM;

  function sources(candidates: Candidates<M>, code: string): Source<M>[] {
    const carrier = code === "" ? "" : options.carrierOfCode(code) ?? code;
    if (carrier === "") return candidates.all.size === 0 ? [] : [{ set: candidates.all, padKm: 0, carrier }];
    const found: Source<M>[] = [];
    const own = candidates.of(carrier);
    if (own !== undefined) found.push({ set: own, padKm: 0, carrier });
    for (const cloud of PUBLIC_CLOUDS) {
      const set = cloud === carrier ? undefined : candidates.of(cloud);
      if (set !== undefined) found.push({ set, padKm: PUBLIC_CLOUD_PAD_KM, carrier: cloud });
    }
    return found;
  }

  /** Padded distance up to which candidates are needed for the best `limit`, by chord. */
  function reach(found: Source<M>[], from: Vector, limit: number): number {
    if (limit === 1) {
      let best = Infinity;
      for (const { set, padKm } of found) {
        // Only what is nearer than the best so far is of interest: of a cloud mostly nothing, which costs no search.
        const bound = best === Infinity ? Infinity : kmToChord(best - padKm);
        if (bound < 0) continue;
        const chord = set.nearestChord(from, bound);
        if (chord < bound) best = chordToKm(chord) + padKm;
      }
      return best;
    }
    const shortest = new Map<M, number>();
    for (const { set, padKm } of found) {
      const nearest = new Nearest<M>(limit);
      set.collectNearest(from, nearest);
      for (let at = 0; at < nearest.members.length; at++) {
        const km = chordToKm(nearest.chords[at]!) + padKm;
        // An ally's instance may be in two sets; the shorter distance counts.
        if (km < (shortest.get(nearest.members[at]!) ?? Infinity)) shortest.set(nearest.members[at]!, km);
      }
    }
    const sorted = [...shortest.values()].sort((a, b) => a - b);
    return sorted[Math.min(limit, sorted.length) - 1] ?? -Infinity;
  }

  function gather(found: Source<M>[], from: Vector, query: Query, reachKm: number): Ranked<M>[] {
    const ranked: Ranked<M>[] = [];
    const places = found.length > 1 ? new Map<M, number>() : undefined;
    for (const { set, padKm, carrier } of found) {
      const bound = kmToChord(reachKm + bandKm - padKm);
      if (bound < 0) continue;
      hits.clear();
      set.collectWithin(from, bound, hits);
      for (let at = 0; at < hits.length; at++) {
        const member = hits.members[at]!;
        const km = distanceKm(query, options.location(member)) + padKm;
        const entry = { member, distanceKm: km, carrier: carrier === "" ? options.owner(member) : carrier };
        const place = places?.get(member);
        if (place === undefined) {
          places?.set(member, ranked.length);
          ranked.push(entry);
        } else if (km < ranked[place]!.distanceKm) {
          ranked[place] = entry;
        }
      }
    }
    return ranked;
  }

  function list(candidates: Candidates<M>, query: Query, wanted: number): Ranked<M>[] {
    const limit = Math.min(wanted, MAX_LIST_LENGTH);
    if (limit < 1) return [];
    const found = sources(candidates, query.carrier);
    if (found.length === 0) return [];
    const from = unitVector(query);
    return rank(gather(found, from, query, reach(found, from, limit)), limit, options.text, options.random);
  }

  /** As `list` with limit 1, without an object for each of what may be many candidates at one place. */
  function find(candidates: Candidates<M>, query: Query): Ranked<M> | undefined {
    const found = sources(candidates, query.carrier);
    if (found.length === 0) return undefined;
    const from = unitVector(query);
    const reachKm = reach(found, from, 1);
    hits.clear();
    distances.length = 0;
    for (const source of found) {
      const bound = kmToChord(reachKm + bandKm - source.padKm);
      if (bound < 0) continue;
      source.set.collectWithin(from, bound, hits);
      for (let at = distances.length; at < hits.length; at++) {
        distances.push(query, options.location(hits.members[at]!), source.padKm);
      }
      source.end = hits.length;
    }
    const nearest = distances.least();
    const chosen = options.random === undefined ? firstByText(nearest) : drawInBand(nearest, options.random);
    const member = hits.members[chosen]!;
    const carrier = found.find((source) => chosen < (source.end ?? 0))!.carrier;
    return { member, distanceKm: distances.at(chosen), carrier: carrier === "" ? options.owner(member) : carrier };
  }

  function firstByText(nearest: number): number {
    let chosen = -1;
    let chosenText: string | undefined;
    for (let at = 0; at < distances.length; at++) {
      if (distances.at(at) !== nearest) continue;
      if (chosen >= 0) {
        chosenText ??= options.text(hits.members[chosen]!);
        const text = options.text(hits.members[at]!);
        if (text >= chosenText) continue;
        chosenText = text;
      }
      chosen = at;
    }
    return chosen;
  }

  function drawInBand(nearest: number, random: () => number): number {
    let ties = 0;
    for (let at = 0; at < distances.length; at++) if (distances.at(at) - nearest < TIE_BAND_KM) ties++;
    // One number is drawn whatever there are, so that a crowd costs no more than two.
    let wanted = ties > 1 ? Math.floor(random() * ties) : 0;
    let chosen = 0;
    while (distances.at(chosen) - nearest >= TIE_BAND_KM || wanted-- > 0) chosen++;
    return chosen;
  }

  function distanceTo(candidates: Candidates<M>, query: Query, member: M): number | undefined {
    let padKm = Infinity;
    for (const source of sources(candidates, query.carrier)) {
      if (source.padKm < padKm && source.set.has(member)) padKm = source.padKm;
    }
    return padKm === Infinity ? undefined : distanceKm(query, options.location(member)) + padKm;
  }

  const isTie = (km: number, bestKm: number) => options.random !== undefined && km - bestKm < TIE_BAND_KM;

  return { list, find, distanceTo, isTie };
}
