import type { Candidates } from "./candidates.ts";
import { chordToKm, distanceKm, EARTH_RADIUS_KM, kmToChord, Origin, type Point } from "./geo.ts";
import { Hits } from "./hits.ts";
import { rank, type Ranked, TIE_BAND_KM } from "./rank.ts";
import { Search } from "./search.ts";
import type { SpatialSet } from "./spatial_set.ts";

/** Organizations of public clouds, eligible for every carrier's subscribers. */
export const PUBLIC_CLOUDS: readonly string[] = ["azure", "gcp", "aws"];

/** What a public cloud must be nearer by to win over the subscriber's own operator, kilometres. */
export const PUBLIC_CLOUD_PAD_KM = 100;

/** Most instances that one list may hold, so that a single request cannot keep the process busy. */
export const MAX_LIST_LENGTH = 1000;

/** Chords are exact to metres: whatever is this near to the best by chord is compared by haversine. */
const SLACK_KM = 0.01;
const SLACK_CHORD = SLACK_KM / EARTH_RADIUS_KM;

/** What a matcher needs. */
export interface MatcherOptions<M> {
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

/** Makes a matcher that follows the specified rules (DME specification 4.3 to 4.5). */
export function createMatcher<M>({ text, carrierOfCode, random }: MatcherOptions<M>): Matcher<M> {
  const bandKm = random === undefined ? 0 : TIE_BAND_KM;
  const bandChord = bandKm / EARTH_RADIUS_KM + SLACK_CHORD;
  // Of the lookup under way.
  const origin = new Origin();
  const search = new Search();
  const hits = new Hits<M>();
  /** Distance up to which there are as many as wanted, or a little more. */
  let reachKm = Infinity;

  /** Finds the eligible candidates of which the best `limit` can be chosen. */
  function gather(candidates: Candidates<M>, query: Query, limit: number): void {
    const { carrier: code } = query;
    const carrier = code === "" ? "" : carrierOfCode(code) ?? code;
    origin.set(query);
    search.x = origin.x;
    search.y = origin.y;
    search.z = origin.z;
    hits.clear();
    reachKm = Infinity;
    if (carrier === "") return look(candidates.all, 0, carrier, limit, candidates);
    look(candidates.of(carrier), 0, carrier, limit, candidates);
    for (const cloud of PUBLIC_CLOUDS) {
      if (cloud !== carrier) look(candidates.of(cloud), PUBLIC_CLOUD_PAD_KM, cloud, limit, candidates);
    }
  }

  /** @param carrier "" for the set of all */
  function look(
    set: SpatialSet | undefined,
    padKm: number,
    carrier: string,
    limit: number,
    candidates: Candidates<M>,
  ): void {
    // Only what is nearer than the best so far is of interest: of a cloud mostly nothing, which costs no search.
    const wantedKm = reachKm + bandKm - padKm;
    if (set === undefined || wantedKm < -SLACK_KM) return;
    search.begin(limit, bandChord, wantedKm === Infinity ? Infinity : kmToChord(Math.max(0, wantedKm)) + SLACK_CHORD);
    set.search(search);
    for (let at = 0; at < search.length; at++) {
      if (search.chords[at]! > search.bound) continue;
      const id = search.ids[at]!;
      // Fetched before the distance, so that the one may come from far away in memory while the other is computed.
      const member = candidates.member(id);
      const km = origin.distanceKm(candidates.latitude(id), candidates.longitude(id)) + padKm;
      hits.push(member, carrier === "" ? candidates.owner(id) : carrier, km);
    }
    const last = search.last;
    if (last !== Infinity) reachKm = Math.min(reachKm, chordToKm(last + SLACK_CHORD) + padKm);
  }

  function list(candidates: Candidates<M>, query: Query, wanted: number): Ranked<M>[] {
    const limit = Math.min(wanted, MAX_LIST_LENGTH);
    if (limit < 1) return [];
    gather(candidates, query, limit);
    const best = new Map<M, Ranked<M>>();
    for (let at = 0; at < hits.length; at++) {
      const member = hits.members[at]!;
      const distanceKm = hits.kilometres[at]!;
      // An ally's instance may be in two sets; the shorter distance counts.
      const other = best.get(member);
      if (other === undefined || distanceKm < other.distanceKm) {
        best.set(member, { member, distanceKm, carrier: hits.carriers[at]! });
      }
    }
    return rank([...best.values()], limit, text, random);
  }

  /** As `list` with limit 1, without an object for each of what may be many candidates at one place. */
  function find(candidates: Candidates<M>, query: Query): Ranked<M> | undefined {
    gather(candidates, query, 1);
    if (hits.length === 0) return undefined;
    const nearest = hits.least();
    const chosen = random === undefined ? firstByText(nearest) : drawInBand(nearest, random);
    return { member: hits.members[chosen]!, distanceKm: hits.kilometres[chosen]!, carrier: hits.carriers[chosen]! };
  }

  function firstByText(nearest: number): number {
    let chosen = -1;
    let chosenText: string | undefined;
    for (let at = 0; at < hits.length; at++) {
      if (hits.kilometres[at] !== nearest) continue;
      if (chosen >= 0) {
        chosenText ??= text(hits.members[chosen]!);
        const other = text(hits.members[at]!);
        if (other >= chosenText) continue;
        chosenText = other;
      }
      chosen = at;
    }
    return chosen;
  }

  function drawInBand(nearest: number, random: () => number): number {
    const { kilometres, length } = hits;
    let ties = 0;
    for (let at = 0; at < length; at++) if (kilometres[at]! - nearest < TIE_BAND_KM) ties++;
    // One number is drawn whatever there are, so that a crowd costs no more than two.
    let wanted = ties > 1 ? Math.floor(random() * ties) : 0;
    let chosen = 0;
    while (kilometres[chosen]! - nearest >= TIE_BAND_KM || wanted-- > 0) chosen++;
    return chosen;
  }

  function distanceTo(candidates: Candidates<M>, query: Query, member: M): number | undefined {
    const carrier = query.carrier === "" ? "" : carrierOfCode(query.carrier) ?? query.carrier;
    const ownId = candidates.idFor(member, [carrier]);
    const id = ownId ?? candidates.idFor(member, PUBLIC_CLOUDS);
    if (id === undefined) return undefined;
    const location = { latitude: candidates.latitude(id), longitude: candidates.longitude(id) };
    return distanceKm(query, location) + (ownId === undefined ? PUBLIC_CLOUD_PAD_KM : 0);
  }

  const isTie = (km: number, bestKm: number) => random !== undefined && km - bestKm < TIE_BAND_KM;

  return { list, find, distanceTo, isTie };
}
