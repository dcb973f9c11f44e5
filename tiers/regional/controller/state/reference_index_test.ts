import assert from "node:assert/strict";
import { type App, AppKind, FlavorKind, kinds, type ObjectKind } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import { app } from "../testing/world.ts";
import { ReferenceIndex } from "./reference_index.ts";

Deno.test("the index knows referrers from the first question on, and follows changes", () => {
  const apps = new Map<string, App>();
  let walks = 0;
  const index = new ReferenceIndex(kinds as readonly AnyKind[], (kind) => {
    if (kind.kind !== "App") return new Map();
    walks++;
    return apps;
  });
  const keyOf = (object: App) => AppKind.keyString(object.key);
  const named = (name: string, flavor: string) =>
    app({ key: { organization: "AtlasWorks", name, version: "1" }, defaultFlavor: { name: flavor } });
  const set = (object: App) => {
    const keyString = keyOf(object);
    const old = apps.get(keyString);
    apps.set(keyString, object);
    index.apply({ kind: AppKind as AnyKind, keyString, object, old });
  };
  const remove = (object: App) => {
    const keyString = keyOf(object);
    apps.delete(keyString);
    index.apply({ kind: AppKind as AnyKind, keyString, object: undefined, old: object });
  };
  const users = (flavor: string) =>
    index.referrers(FlavorKind as ObjectKind as AnyKind, FlavorKind.keyString({ name: flavor }))
      .map(({ keyString }) => JSON.parse(keyString).name).sort();

  set(named("a", "small"));
  assert.deepEqual(users("small"), ["a"]);
  set(named("b", "small"));
  assert.deepEqual(users("small"), ["a", "b"]);
  set(named("a", "large"));
  assert.deepEqual([users("small"), users("large")], [["b"], ["a"]]);
  remove(named("b", "small"));
  assert.deepEqual([users("small"), users("large")], [[], ["a"]]);
  assert.equal(walks, 1, "the table is walked through once");
});
