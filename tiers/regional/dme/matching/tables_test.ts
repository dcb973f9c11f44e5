import assert from "node:assert/strict";
import fc from "fast-check";
import { APPS, cloudlet, cloudletKey, instance, matcher, siteOf } from "./fixture.ts";
import { appId } from "./objects.ts";
import { Tables } from "./tables.ts";

const app = APPS[0]!;
const appKey = { organization: app[0], name: app[1], version: app[2] };

/** What a device of any carrier is offered, nearest first, or "no app". */
function offered(tables: Tables): string[] | string {
  const entry = tables.app(appId(...app));
  if (entry === undefined) return "no app";
  return matcher().list(entry.candidates, { carrier: "", latitude: 10, longitude: 10 }, 9).map(({ member }) =>
    siteOf(member)
  );
}

Deno.test("the order in which objects arrive does not matter", () => {
  const steps: ((tables: Tables) => void)[] = [(tables) => tables.setApp({ key: appKey })];
  for (const [index, name] of ["a", "b", "c"].entries()) {
    const place = 11 + index;
    steps.push((tables) =>
      tables.setCloudlet({ ...cloudlet("northtel", name, place, place), maintenanceState: name === "c" ? 31 : 0 })
    );
    steps.push((tables) => tables.setCloudletInfo({ key: cloudletKey("northtel", name), state: 2 }));
    steps.push((tables) => tables.setInstance(instance(app, "northtel", name, place, place)));
  }
  fc.assert(fc.property(fc.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length }), (order) => {
    const tables = new Tables();
    for (const step of order) step(tables);
    assert.deepEqual(offered(tables), ["a", "b"]);
  }));
});

Deno.test("after any sequence of changes the offer is that of the final content", () => {
  const change = fc.record({
    what: fc.constantFrom("app", "cloudlet", "info", "instance"),
    name: fc.constantFrom("a", "b", "c"),
    remove: fc.boolean(),
    number: fc.constantFrom(0, 2, 3, 5, 31),
  });
  fc.assert(fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const tables = new Tables();
    let hasApp = false;
    const cloudlets = new Map<string, number>();
    const infos = new Map<string, number>();
    const instances = new Map<string, number>();
    const place: Record<string, number> = { a: 11, b: 12, c: 13 };
    for (const { what, name, remove, number } of changes) {
      const key = cloudletKey("northtel", name);
      const at = place[name]!;
      switch (what) {
        case "app":
          hasApp = !remove;
          if (remove) tables.removeApp(appKey);
          else tables.setApp({ key: appKey });
          break;
        case "cloudlet":
          if (remove) tables.removeCloudlet(key);
          else tables.setCloudlet({ ...cloudlet("northtel", name, at, at), maintenanceState: number });
          if (remove) cloudlets.delete(name);
          else cloudlets.set(name, number);
          break;
        case "info":
          if (remove) tables.removeCloudletInfo(key);
          else tables.setCloudletInfo({ key, state: number });
          if (remove) infos.delete(name);
          else infos.set(name, number);
          break;
        case "instance": {
          const made = { ...instance(app, "northtel", name, at, at), state: number };
          if (remove) tables.removeInstance(made.key);
          else tables.setInstance(made);
          if (remove) instances.delete(name);
          else instances.set(name, number);
          break;
        }
      }
    }
    const expected = ["a", "b", "c"].filter((name) =>
      instances.get(name) === 5 && infos.get(name) === 2 && cloudlets.has(name) && cloudlets.get(name) !== 31
    );
    assert.deepEqual(offered(tables), hasApp ? expected : "no app");
  }));
});

Deno.test("an instance without a location of its own is where its cloudlet is, and moves with it", () => {
  const tables = new Tables();
  tables.setApp({ key: appKey });
  const made = instance(app, "northtel", "a", 0, 0);
  tables.setInstance({ ...made, cloudletLoc: undefined });
  tables.setCloudletInfo({ key: cloudletKey("northtel", "a"), state: 2 });
  tables.setCloudlet(cloudlet("northtel", "a", 10, 11));
  const find = () =>
    matcher().find(tables.app(appId(...app))!.candidates, { carrier: "", latitude: 10, longitude: 10 })!;
  assert.ok(Math.abs(find().distanceKm - 109.505) < 0.01);
  tables.setCloudlet(cloudlet("northtel", "a", 10, 10));
  assert.equal(find().distanceKm, 0);
});

Deno.test("a cloudlet that names its own organization as an ally is listed once", () => {
  const tables = new Tables();
  tables.setApp({ key: appKey });
  tables.setInstance(instance(app, "northtel", "a", 11, 11));
  tables.setCloudletInfo({ key: cloudletKey("northtel", "a"), state: 2 });
  tables.setCloudlet({ ...cloudlet("northtel", "a", 11, 11), allianceOrgs: ["northtel", "westtel", "westtel", ""] });
  const candidates = tables.app(appId(...app))!.candidates;
  for (const carrier of ["", "northtel", "westtel"]) {
    assert.equal(matcher().list(candidates, { carrier, latitude: 0, longitude: 0 }, 5).length, 1, carrier);
  }
});
