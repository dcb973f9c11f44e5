import assert from "node:assert/strict";
import { Buckets, NONE } from "./buckets.ts";
import { mulberry } from "./fixture.ts";
import { type Place, placeOf, type Point } from "./geo.ts";
import { Search } from "./search.ts";
import { FLAT_POINTS, SpatialSet } from "./spatial_set.ts";
import { Tree } from "./tree.ts";

/** Ways in which places follow each other, of which some are hard for a tree. */
const WORLDS: Record<string, (index: number, random: () => number) => Point> = {
  anywhere: (_, random) => ({ latitude: random() * 180 - 90, longitude: random() * 360 - 180 }),
  "in few cities": (_, random) => ({
    latitude: Math.floor(random() * 5) * 10 + random() / 10,
    longitude: Math.floor(random() * 5) * 10 + random() / 10,
  }),
  "from west to east": (index) => ({ latitude: 40 * Math.sin(index), longitude: (index % 2000) / 2000 * 360 - 180 }),
  "along a meridian": (index) => ({ latitude: (index % 2000) / 2000 * 180 - 90, longitude: 0 }),
  "at one place": () => ({ latitude: 48, longitude: 11 }),
  "at few places": (_, random) => ({ latitude: Math.floor(random() * 4), longitude: 180 }),
  "ever nearer to a crowd": (index) => ({ latitude: 48 + (index % 2 === 0 ? 0 : 10 / (index + 1)), longitude: 11 }),
};

/** What a search must find: what is within the band behind the last of the nearest, by looking at all. */
function expected(places: ReadonlyMap<number, Place>, from: Place, limit: number, band: number): number[] {
  const all = [...places].map(([member, { x, y, z }]) =>
    [Math.hypot(x - from.x, y - from.y, z - from.z), member] as const
  ).sort(([a], [b]) => a - b);
  const last = all[limit - 1]?.[0] ?? Infinity;
  return all.filter(([chord]) => chord <= last + band).map(([, member]) => member).sort(byNumber);
}

function found(set: SpatialSet, from: Place, limit: number, band: number): number[] {
  const search = new Search();
  search.begin(limit, band, Infinity);
  ({ x: search.x, y: search.y, z: search.z } = from);
  set.search(search);
  return [...search.ids.subarray(0, search.length)].filter((_, at) => search.chords[at]! <= search.bound).sort(
    byNumber,
  );
}

const byNumber = (a: number, b: number): number => a - b;

for (const [name, place] of Object.entries(WORLDS)) {
  Deno.test(`a set of members ${name} finds what a look at all of them finds, whatever came, moved and went`, () => {
    const random = mulberry(name.length);
    const set = new SpatialSet();
    const places = new Map<number, Place>();
    const anywhere = WORLDS.anywhere!;
    const check = () => {
      assert.equal(set.size, places.size);
      const of = random() < 0.5 ? place : anywhere;
      const from = placeOf(of(Math.floor(random() * 2000), random));
      // A band between two chords that differ by rounding alone would decide by chance.
      for (const [limit, band] of [[1, 1.5e-4], [1, 1e-6], [7, 1.5e-4]] as const) {
        assert.deepEqual(found(set, from, limit, band), expected(places, from, limit, band));
      }
    };
    const put = (member: number, index: number) => {
      const old = places.get(member);
      if (old !== undefined) assert.equal(set.remove(member, old), true);
      const now = placeOf(place(index, random));
      places.set(member, now);
      set.add(member, now);
    };
    const remove = (member: number) => {
      const old = places.get(member) ?? placeOf(anywhere(0, random));
      assert.equal(set.remove(member, old), places.delete(member));
    };
    // It grows to a tree of some hundred leaves, lives, and shrinks again to nothing.
    for (let index = 0; index < 1500; index++) {
      put(index, index);
      if (index % 50 === 0 || index < FLAT_POINTS + 4) check();
    }
    for (let change = 0; change < 1500; change++) {
      const member = Math.floor(random() * 2000);
      if (random() < 0.6) put(member, change);
      else remove(member);
      if (change % 50 === 0) check();
    }
    for (const [at, member] of [...places.keys()].entries()) {
      remove(member);
      if (at % 50 === 0 || places.size < FLAT_POINTS) check();
    }
    assert.equal(set.size, 0);
  });
}

Deno.test("a tree stays flat in whatever order its members come, and shrinks when they go", () => {
  for (const [name, place] of Object.entries(WORLDS)) {
    const random = mulberry(5);
    const tree = new Tree(new Buckets(), NONE);
    const places = Array.from({ length: 2000 }, (_, index) => placeOf(place(index, random)));
    places.forEach((each, index) => tree.add(index, each));
    // 2000 members fill some 150 leaves, whose best depth is 9.
    assert.ok(tree.depth() <= 20, `${name}: ${tree.depth()}`);
    for (let index = 0; index < 1990; index++) assert.ok(tree.remove(index, places[index]!));
    assert.ok(tree.depth() <= 10, `${name}: ${tree.depth()}`);
  }
});
