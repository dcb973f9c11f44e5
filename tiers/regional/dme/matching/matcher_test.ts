import assert from "node:assert/strict";
import fc from "fast-check";
import { distanceKm, type Point } from "./geo.ts";
import { Candidates } from "./candidates.ts";
import { createMatcher, PUBLIC_CLOUD_PAD_KM, PUBLIC_CLOUDS, type Query } from "./matcher.ts";
import { mulberry } from "./fixture.ts";
import { TIE_BAND_KM } from "./rank.ts";
import { FLAT_POINTS } from "./spatial_set.ts";

interface Place {
  id: string;
  owner: string;
  allies: string[];
  location: Point;
}

function matcherOf(random?: () => number) {
  return createMatcher<Place>({
    text: (place) => place.id,
    carrierOfCode: () => undefined,
    random,
  });
}

/** The rules of the specification, word for word, over all places. */
function bruteForce(places: Iterable<Place>, query: Query): { id: string; km: number }[] {
  const best = new Map<string, number>();
  for (const place of places) {
    const carriers = query.carrier === "" ? [place.owner] : [...new Set([place.owner, ...place.allies])];
    for (const carrier of carriers) {
      const cloud = PUBLIC_CLOUDS.includes(carrier);
      if (query.carrier !== "" && !cloud && carrier !== query.carrier) continue;
      const pad = cloud && query.carrier !== "" && query.carrier !== carrier ? PUBLIC_CLOUD_PAD_KM : 0;
      const km = distanceKm(query, place.location) + pad;
      if (km < (best.get(place.id) ?? Infinity)) best.set(place.id, km);
    }
  }
  return [...best].map(([id, km]) => ({ id, km })).sort((a, b) => a.km - b.km || (a.id < b.id ? -1 : 1));
}

const carrier = fc.constantFrom("northtel", "westtel", "azure", "gcp", "aws");
const coordinate = (limit: number) =>
  fc.oneof(
    fc.double({ min: -limit, max: limit, noNaN: true }),
    // Coarse steps, so that equal places, poles and the antimeridian come up.
    fc.integer({ min: -4, max: 4 }).map((step) => (step * limit) / 4),
  );
const point = fc.record({ latitude: coordinate(90), longitude: coordinate(180) });
const site = fc.record({ owner: carrier, allies: fc.array(carrier, { maxLength: 3 }), location: point });
const query = fc.record({ carrier: fc.oneof(carrier, fc.constantFrom("", "othertel")), at: point })
  .map(({ carrier, at }) => ({ carrier, ...at }));

Deno.test("matching by index gives what a search through all gives, whatever was added, moved and removed", () => {
  const change = fc.oneof(
    fc.record({ do: fc.constant("put" as const), id: fc.nat(40), site }),
    fc.record({ do: fc.constant("remove" as const), id: fc.nat(40), site }),
  );
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 80 }),
      fc.array(query, { minLength: 1, maxLength: 5 }),
      (changes, queries) => {
        const places = new Map<string, Place>();
        const candidates = new Candidates<Place>();
        for (const { do: action, id, site } of changes) {
          const name = `p${id}`;
          if (action === "put") {
            const place = places.get(name) ?? { id: name, ...site };
            Object.assign(place, site);
            places.set(name, place);
            candidates.put(place, site.location, site.owner, site.allies);
          } else if (places.has(name)) {
            candidates.remove(places.get(name)!);
            places.delete(name);
          }
        }
        for (const at of queries) {
          const expected = bruteForce(places.values(), at);
          const listed = matcherOf().list(candidates, at, 7);
          assert.deepEqual(listed.map((hit) => ({ id: hit.member.id, km: hit.distanceKm })), expected.slice(0, 7));
          assert.equal(matcherOf().find(candidates, at)?.member.id, expected[0]?.id);
          const distances = new Map(expected.map(({ id, km }) => [id, km] as const));
          for (const place of places.values()) {
            assert.equal(matcherOf().distanceTo(candidates, at, place), distances.get(place.id));
          }
        }
      },
    ),
  );
});

Deno.test("a tree of many candidates gives what a search through all gives, after changes too", () => {
  const COUNT = 3000;
  assert.ok(COUNT > FLAT_POINTS * 4);
  const random = mulberry(42);
  const anywhere = () => ({ latitude: random() * 180 - 90, longitude: random() * 360 - 180 });
  const places = new Map<string, Place>();
  const candidates = new Candidates<Place>();
  const put = (id: string) => {
    const place = { id, owner: random() < 0.9 ? "northtel" : "azure", allies: [], location: anywhere() };
    const old = places.get(id);
    if (old !== undefined) candidates.remove(old);
    places.set(id, place);
    candidates.put(place, place.location, place.owner, place.allies);
  };
  for (let index = 0; index < COUNT; index++) put(`p${index}`);
  const check = (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      for (const carrier of ["", "northtel", "azure"]) {
        const at = { carrier, ...anywhere() };
        const expected = bruteForce(places.values(), at).slice(0, 4);
        const listed = matcherOf().list(candidates, at, 4);
        assert.deepEqual(listed.map((hit) => ({ id: hit.member.id, km: hit.distanceKm })), expected);
        assert.equal(matcherOf().find(candidates, at)!.member.id, expected[0]!.id);
      }
    }
  };
  check(40);
  // Less than makes the tree stale, then more, then so few that a flat set serves again.
  for (let index = 0; index < 20; index++) put(`p${index}`);
  check(20);
  for (let index = 200; index < 1200; index++) put(`p${index}`);
  check(20);
  for (const [id, place] of [...places].slice(0, COUNT - FLAT_POINTS / 4)) {
    candidates.remove(place);
    places.delete(id);
  }
  check(20);
});

Deno.test("many candidates within a kilometre are chosen equally often, others never", () => {
  const candidates = new Candidates<Place>();
  for (let index = 0; index < 5; index++) {
    // 0.001° of latitude are 111 m.
    const place = {
      id: `near${index}`,
      owner: "northtel",
      allies: [],
      location: { latitude: 50 + index * 0.001, longitude: 8 },
    };
    candidates.put(place, place.location, place.owner, []);
  }
  const far = { id: "far", owner: "northtel", allies: [], location: { latitude: 50.02, longitude: 8 } };
  candidates.put(far, far.location, far.owner, []);
  const at = { carrier: "northtel", latitude: 49.9, longitude: 8 };
  const finder = matcherOf(mulberry(1));
  for (const choose of [() => finder.find(candidates, at)!, () => finder.list(candidates, at, 3)[0]!]) {
    const counts = new Map<string, number>();
    for (let call = 0; call < 5000; call++) {
      const { member } = choose();
      counts.set(member.id, (counts.get(member.id) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].sort(), ["near0", "near1", "near2", "near3", "near4"]);
    // 1000 expected, standard deviation 28.
    for (const count of counts.values()) assert.ok(count > 850 && count < 1150, String(count));
  }
});

Deno.test("among crowds and clusters exactly those can win that are less than a kilometre behind the nearest", () => {
  const random = mulberry(11);
  // Some places at the other side of the earth from others, where chords tell little.
  const centres = [[48, 11], [-48, -169], [0, 180], [90, 0], [47.9, 10.2]] as const;
  const places = new Map<string, Place>();
  const candidates = new Candidates<Place>();
  const change = () => {
    const id = `p${Math.floor(random() * 600)}`;
    const old = places.get(id);
    if (old !== undefined) candidates.remove(old);
    places.delete(id);
    if (random() < 0.3) return;
    const [latitude, longitude] = centres[Math.floor(random() * centres.length)]!;
    // A third lies at one place, the others within a kilometre or some.
    const spread = random() < 0.3 ? 0 : random() < 0.5 ? 0.01 : 0.1;
    const near = (degrees: number, limit: number) => Math.min(limit, Math.max(-limit, degrees + random() * spread));
    const location = { latitude: near(latitude, 90), longitude: near(longitude, 180) };
    const owner = random() < 0.6 ? "northtel" : random() < 0.5 ? "azure" : "gcp";
    const place = { id, owner, allies: random() < 0.1 ? ["westtel"] : [], location };
    places.set(id, place);
    candidates.put(place, location, owner, place.allies);
  };
  let drawn = 0;
  const finder = matcherOf(() => drawn);
  for (let round = 0; round < 3000; round++) {
    change();
    if (round % 10 !== 0) continue;
    const [latitude, longitude] = centres[Math.floor(random() * centres.length)]!;
    for (const carrier of ["", "northtel", "westtel", "azure"]) {
      const at = { carrier, latitude: Math.min(90, latitude + random() / 50), longitude };
      const all = bruteForce(places.values(), at);
      const winners = new Map(
        all.filter(({ km }) => km - all[0]!.km < TIE_BAND_KM).map(({ id, km }) => [id, km] as const),
      );
      const won = new Map<string, number>();
      for (let draw = 0; draw < Math.max(1, winners.size); draw++) {
        drawn = (draw + 0.5) / winners.size;
        const match = finder.find(candidates, at);
        if (match !== undefined) won.set(match.member.id, match.distanceKm);
      }
      assert.deepEqual([...won].sort(), [...winners].sort());
      const listed = matcherOf().list(candidates, at, 5).map(({ member, distanceKm }) => ({
        id: member.id,
        km: distanceKm,
      }));
      assert.deepEqual(listed, all.slice(0, 5));
    }
  }
});

Deno.test("a candidate that changes hands or friends stays where it is", () => {
  const candidates = new Candidates<Place>();
  const place = { id: "p", owner: "northtel", allies: [], location: { latitude: 1, longitude: 1 } };
  const seenBy = () =>
    ["northtel", "westtel", "othertel"].filter((carrier) =>
      matcherOf().find(candidates, { carrier, latitude: 0, longitude: 0 }) !== undefined
    );
  candidates.put(place, place.location, "northtel", []);
  assert.deepEqual(seenBy(), ["northtel"]);
  candidates.put(place, place.location, "northtel", ["othertel"]);
  assert.deepEqual(seenBy(), ["northtel", "othertel"]);
  candidates.put(place, place.location, "westtel", ["othertel"]);
  assert.deepEqual(seenBy(), ["westtel", "othertel"]);
  assert.equal(matcherOf().find(candidates, { carrier: "", latitude: 0, longitude: 0 })?.carrier, "westtel");
});

Deno.test("a list never holds more than was asked for, nor anything when nothing was asked for", () => {
  const candidates = new Candidates<Place>();
  for (let index = 0; index < 20; index++) {
    const place = { id: `p${index}`, owner: "northtel", allies: [], location: { latitude: index, longitude: 0 } };
    candidates.put(place, place.location, place.owner, []);
  }
  const at = { carrier: "", latitude: 0, longitude: 0 };
  assert.equal(matcherOf(() => 0.5).list(candidates, at, 3).length, 3);
  assert.equal(matcherOf().list(candidates, at, 0).length, 0);
  assert.equal(matcherOf().list(candidates, at, 2 ** 32 - 1).length, 20);
});
