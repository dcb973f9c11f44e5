/** Candidates closer to each other than this share the load (specification 4.5), kilometres. */
export const TIE_BAND_KM = 1;

/** A candidate with its distance, padding included. */
export interface Ranked<M> {
  readonly member: M;
  readonly distanceKm: number;
  /** Carrier under which the candidate was matched. */
  readonly carrier: string;
}

/**
 * Orders candidates, nearest first, and keeps `limit` of them. With a randomness source each place goes to any of the
 * candidates less than {@link TIE_BAND_KM} behind the nearest that is left, all with the same chance; without one the
 * order is by distance alone, at equal distance by `text`.
 *
 * @param random gives a number in [0, 1); undefined turns chance off
 */
export function rank<M>(
  candidates: Ranked<M>[],
  limit: number,
  text: (member: M) => string,
  random: (() => number) | undefined,
): Ranked<M>[] {
  const sorted = candidates.sort((a, b) =>
    a.distanceKm - b.distanceKm || (text(a.member) < text(b.member) ? -1 : text(a.member) > text(b.member) ? 1 : 0)
  );
  const places = Math.min(limit, sorted.length);
  if (random !== undefined) {
    for (let place = 0; place < places; place++) {
      const nearest = sorted[place]!.distanceKm;
      let end = place + 1;
      while (end < sorted.length && sorted[end]!.distanceKm - nearest < TIE_BAND_KM) end++;
      if (end === place + 1) continue;
      const chosen = place + Math.floor(random() * (end - place));
      // Rotated, not swapped: what stays behind must stay sorted.
      const winner = sorted[chosen]!;
      sorted.copyWithin(place + 1, place, chosen);
      sorted[place] = winner;
    }
  }
  sorted.length = places;
  return sorted;
}
