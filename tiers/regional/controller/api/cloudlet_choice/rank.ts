import type { Candidate } from "./candidates.ts";

/**
 * Candidates in the order in which they are tried: first those with a cluster that can be had, then those to which the
 * organization was invited, then those with the most room; for the rest by key, so that the choice can be foretold.
 */
export function ranked(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) =>
    Number(b.hasCluster) - Number(a.hasCluster) || Number(b.invited) - Number(a.invited) || b.room - a.room ||
    (a.key < b.key ? -1 : 1)
  );
}

/** Why a candidate comes before all others, for people; amounts would tell of others' use. */
export function preference(best: Candidate, others: readonly Candidate[]): string {
  if (others.length === 0) return "it is the only one that can take the instance";
  if (best.hasCluster && others.some(({ hasCluster }) => !hasCluster)) return "a cluster can be had there";
  if (best.invited && others.some(({ invited }) => !invited)) return "the organization was invited to it";
  if (others.some(({ room }) => room < best.room)) return "it has the most room";
  return "it is the first by name of those that are alike";
}
