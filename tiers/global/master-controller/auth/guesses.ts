import { WordRanks } from "./word_ranks.ts";

/** Estimates how many guesses a password withstands. */
export type Estimator = (password: string) => number;

/** The parts of the package `zxcvbn` that are used; it comes without types. */
type Lists = Record<string, readonly string[]>;

interface Matching {
  dictionary_match(password: string): DictionaryMatch[];
}

interface DictionaryMatch {
  pattern: "dictionary";
  i: number;
  j: number;
  token: string;
  matched_word: string;
  rank: number;
  dictionary_name: string;
  reversed: boolean;
  l33t: boolean;
}

/** The one estimator of the program: loading takes the package's lists out of it, so it can be done only once. */
let loaded: Promise<Estimator> | undefined;

/** The estimator, loaded at the first call. */
export function loadEstimator(): Promise<Estimator> {
  loaded ??= load();
  return loaded;
}

/**
 * The package would make objects keyed by word of its lists, which cost 18 MiB for good; so its lists are taken out
 * before its matcher is loaded, and looked up in a compact table. The estimates are the same, which a test holds them to.
 */
async function load(): Promise<Estimator> {
  const { default: lists }: { default: Lists } = await import("zxcvbn/lib/frequency_lists.js");
  const words = new WordRanks();
  for (const name of Object.keys(lists)) {
    words.add(lists[name]!);
    delete lists[name];
  }
  const { default: matching }: { default: Matching } = await import("zxcvbn/lib/matching.js");
  matching.dictionary_match = (password) => dictionaryMatches(words, password);
  const { default: zxcvbn }: { default: (password: string) => { guesses: number } } = await import("zxcvbn");
  return (password) => zxcvbn(password).guesses;
}

function dictionaryMatches(words: WordRanks, password: string): DictionaryMatch[] {
  const text = password.toLowerCase();
  return words.find(text).map(({ start, end, rank }) => ({
    pattern: "dictionary",
    i: start,
    j: end,
    token: password.slice(start, end + 1),
    matched_word: text.slice(start, end + 1),
    rank,
    dictionary_name: "words",
    reversed: false,
    l33t: false,
  }));
}
