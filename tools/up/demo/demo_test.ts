import assert from "node:assert/strict";
import { appsAt, demoWorld } from "./mod.ts";

const NAME = /^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]*$/;

Deno.test("the demo has a dozen sites of three operators at real places", () => {
  const { operators } = demoWorld();
  assert.equal(operators.length, 3);
  const sites = operators.flatMap((operator) => operator.sites);
  assert.equal(sites.length, 12);
  for (const site of sites) {
    assert.match(site.name, NAME);
    assert.ok(site.latitude > 36 && site.latitude < 56 && site.longitude > -10 && site.longitude < 16, site.name);
    assert.ok(site.population > 100_000, site.name);
  }
  const berlin = operators[0]!.sites[0]!;
  assert.equal(berlin.name, "Berlin");
  assert.ok(Math.abs(berlin.latitude - 52.52) < 0.1 && Math.abs(berlin.longitude - 13.41) < 0.1);
});

Deno.test("every app of the demo runs somewhere, none everywhere, and its developer exists", () => {
  const world = demoWorld();
  for (const app of world.apps) {
    const places = world.operators.flatMap((operator) =>
      operator.sites.filter((_site, rank) => appsAt(world, operator, rank).includes(app))
    );
    assert.ok(places.length >= 2 && places.length < 12, `${app.name} at ${places.length} sites`);
    assert.ok(world.developers.some(({ organization }) => organization === app.organization));
    assert.ok(Deno.statSync(new URL(`apps/${app.module}`, import.meta.url)).isFile);
  }
});
