import assert from "node:assert/strict";
import fc from "fast-check";
import {
  App,
  AppInst,
  AppInstKind,
  applyMask,
  clearUnset,
  Cloudlet,
  CloudletKind,
  equal,
  findKind,
  Flavor,
  fromJson,
  getPath,
  isEmpty,
  JsonError,
  kindOf,
  kinds,
  maskFromJson,
  matches,
  regionServices,
  requiredIssues,
  services,
  setPath,
  Settings,
  toJson,
  TrackedState,
  valuesAt,
} from "./mod.ts";
import { arbitraryMessage } from "./testing/arbitrary.ts";

const KEY = { organization: "acme", name: "alpha", version: "1.1" };

Deno.test("kinds come in dependency order, each after what it needs", () => {
  const seen = new Set<string>();
  for (const kind of kinds) {
    for (const need of kind.needs) assert.ok(need.late || seen.has(need.kind), `${kind.kind} needs ${need.kind}`);
    seen.add(kind.kind);
    assert.equal(findKind(kind.kind), kind);
  }
  assert.equal(findKind("toString"), undefined);
  assert.equal(kindOf("App").kind, "App");
});

Deno.test("key strings are canonical: declared order, empty parts left out, no spaces", () => {
  const key = fromJson(AppInstKind.keyMessage, {
    cluster_inst_key: { cloudlet_key: { name: "berlin", organization: "northtel" } },
    app_key: { version: "1.1", name: "alpha", organization: "acme" },
  });
  const text =
    `{"app_key":{"organization":"acme","name":"alpha","version":"1.1"},"cluster_inst_key":{"cloudlet_key":{"organization":"northtel","name":"berlin"}}}`;
  assert.equal(AppInstKind.keyString(key), text);
  assert.equal(AppInstKind.storeKey(key), `/v1/AppInst/${text}`);
  assert.deepEqual(AppInstKind.parseKey(text), key);
  assert.throws(() => AppInstKind.parseKey("{"), JsonError);
  assert.throws(() => AppInstKind.parseKey(`{"app":1}`), JsonError);
});

Deno.test("every kind: parseKey undoes keyString, and key and owner are found in the object", () => {
  for (const kind of kinds) {
    fc.assert(
      fc.property(arbitraryMessage(kind.keyMessage), (key) => {
        const object = kind.message.create();
        const { flatKey, keyFields } = kind.message.descriptor.object!;
        if (flatKey) { for (const name of keyFields) setPath(object, name, getPath(key, name)); }
        else setPath(object, keyFields[0]!, key);
        assert.deepEqual(kind.key(object), key);
        assert.ok(equal(kind.keyMessage, kind.parseKey(kind.keyString(key)), key));
        assert.equal(typeof kind.owner(object), "string");
      }),
      { numRuns: 30 },
    );
  }
});

Deno.test("paths lead through sub-messages", () => {
  const instance = AppInst.create({ key: { appKey: KEY } });
  assert.equal(getPath(instance, "key.app_key.organization"), "acme");
  assert.equal(getPath(instance, "cloudlet_loc.latitude"), undefined);
  setPath(instance, "key.cluster_inst_key.cloudlet_key.name", "berlin");
  assert.equal(instance.key.clusterInstKey.cloudletKey.name, "berlin");
  assert.throws(() => setPath(instance, "cloudlet_loc.latitude", 1), TypeError);
});

Deno.test("maskFromJson names what the JSON names, down to the leaves", () => {
  const json = { Key: KEY, image_path: "", DefaultFlavor: { name: "x2" }, unknown: 1 };
  assert.deepEqual(maskFromJson(App, json), ["2.1", "2.2", "2.3", "4", "9.1"]);
  assert.deepEqual(maskFromJson(Cloudlet, { location: { latitude: 1 }, env_var: { A: "b" }, alliance_orgs: [] }), [
    "5.1",
    "19",
    "47",
  ]);
  assert.deepEqual(maskFromJson(Cloudlet, { location: null }), ["5"]);
  assert.deepEqual(maskFromJson(App, { image_path: "x", fields: ["13"] }), ["13"]);
  assert.deepEqual(maskFromJson(App, { image_path: "x", fields: [] }), ["4"]);
  assert.throws(() => maskFromJson(App, { fields: ["4", "99", 5] }), JsonError);
});

Deno.test("applyMask copies what is masked and says what changed", () => {
  const target = App.create({ key: KEY, imagePath: "a", command: "run", defaultFlavor: { name: "x1" } });
  const source = App.create({ imagePath: "b", command: "run", defaultFlavor: { name: "x2" }, accessPorts: "tcp:1" });
  const result = applyMask(App, target, source, ["2.1", "4", "13", "9", "9.1"]);
  assert.deepEqual(result, { changed: ["image_path", "default_flavor.name"], refused: [] });
  assert.deepEqual([target.key.organization, target.imagePath, target.defaultFlavor.name, target.accessPorts], [
    "acme",
    "b",
    "x2",
    "",
  ]);
});

Deno.test("applyMask changes nothing when a masked field may not change", () => {
  const target = Cloudlet.create({ numDynamicIps: 1 });
  const source = Cloudlet.create({ numDynamicIps: 2, state: TrackedState.READY, physicalName: "x" });
  const { changed, refused } = applyMask(Cloudlet, target, source, ["8", "12", "18", "77"]);
  assert.deepEqual(changed, []);
  assert.deepEqual(refused.map((refusal) => refusal.field), ["state", "physical_name", "77"]);
  assert.equal(target.numDynamicIps, 1);
});

Deno.test("applyMask makes absent messages appear, clears them, and copies so that nothing is shared", () => {
  const target = Cloudlet.create();
  const source = Cloudlet.create({ location: { latitude: 3, longitude: 4 }, allianceOrgs: ["a"] });
  assert.deepEqual(applyMask(Cloudlet, target, source, ["5.1", "47"]).changed, ["location.latitude", "alliance_orgs"]);
  assert.deepEqual([target.location?.latitude, target.location?.longitude], [3, 0]);
  source.allianceOrgs.push("b");
  assert.deepEqual(target.allianceOrgs, ["a"]);
  assert.deepEqual(applyMask(Cloudlet, target, Cloudlet.create(), ["5"]).changed, ["location"]);
  assert.equal(target.location, undefined);
  assert.deepEqual(applyMask(Cloudlet, target, Cloudlet.create(), ["5.1"]).changed, []);
});

Deno.test("clearUnset blanks what the caller may not set", () => {
  const instance = AppInst.create({ fields: ["4"], key: { appKey: KEY }, uri: "u", state: 5, flavor: { name: "x" } });
  clearUnset(AppInst, instance);
  assert.deepEqual(instance, AppInst.create({ key: { appKey: KEY }, flavor: { name: "x" } }));
});

Deno.test("requiredIssues names the missing fields by path", () => {
  const paths = (issues: { path: string }[]) => issues.map((issue) => issue.path);
  assert.deepEqual(paths(requiredIssues(App, App.create({ key: { ...KEY, name: "" } }))), [
    "key.name",
    "default_flavor.name",
  ]);
  assert.deepEqual(paths(requiredIssues(Cloudlet, Cloudlet.create())), ["key.organization", "key.name", "location"]);
  assert.deepEqual(paths(requiredIssues(Flavor, Flavor.create({ key: { name: "x" }, ram: 1, vcpus: 1, disk: 1 }))), []);
  const instance = AppInst.create({ key: { appKey: KEY } });
  assert.deepEqual(paths(requiredIssues(AppInst, instance)), [
    "key.cluster_inst_key.cluster_key.name",
    "key.cluster_inst_key.cloudlet_key.organization",
    "key.cluster_inst_key.cloudlet_key.name",
  ]);
});

Deno.test("matches: what the example leaves out matches all", () => {
  const cloudlet = Cloudlet.create({
    key: { organization: "northtel", name: "berlin" },
    location: { latitude: 52.5, longitude: 13.4 },
    envVar: { A: "1", B: "2" },
    allianceOrgs: ["a", "b"],
  });
  const match = (filter: Parameters<typeof Cloudlet.create>[0]) => matches(Cloudlet, Cloudlet.create(filter), cloudlet);
  assert.ok(match({}));
  assert.ok(match({ key: { organization: "northtel" }, allianceOrgs: ["b"], envVar: { B: "2" } }));
  assert.ok(match({ location: {} }) && match({ location: { latitude: 52.5 } }));
  assert.ok(match({ fields: ["1"] }));
  assert.ok(!match({ key: { organization: "west" } }));
  assert.ok(!match({ allianceOrgs: ["a", "c"] }));
  assert.ok(!match({ envVar: { B: "1" } }) && !match({ envVar: { toString: "1" } }));
  assert.ok(!match({ location: { latitude: 1 } }) && !match({ deploymentLocal: true }));
});

Deno.test("every kind: an object matches itself, and an empty example", () => {
  for (const kind of kinds) {
    fc.assert(
      fc.property(arbitraryMessage(kind.message), (object) => {
        assert.ok(matches(kind.message, object, object));
        assert.ok(matches(kind.message, kind.message.create(), object));
      }),
      { numRuns: 30 },
    );
  }
});

Deno.test("isEmpty: a message that holds nothing but defaults, at any depth", () => {
  assert.ok(
    isEmpty(Cloudlet, Cloudlet.create()) && isEmpty(Cloudlet, Cloudlet.create({ location: { timestamp: {} } })),
  );
  assert.ok(!isEmpty(Cloudlet, Cloudlet.create({ key: { name: "x" } })));
  assert.ok(!isEmpty(Cloudlet, Cloudlet.create({ location: { latitude: -0 } })));
  assert.ok(!isEmpty(Cloudlet, Cloudlet.create({ envVar: { "": "" } })));
});

Deno.test("services: the client API has its thirteen calls, and the later line's services the same ones", () => {
  const engine = services.find((service) => service.name === "distributed_match_engine.MatchEngineApi")!;
  assert.equal(Object.keys(engine.methods).length, 13);
  assert.equal(engine.methods["findCloudlet"]!.path, "/distributed_match_engine.MatchEngineApi/FindCloudlet");
  assert.ok(engine.methods["streamEdgeEvent"]!.requestStream && engine.methods["streamEdgeEvent"]!.responseStream);
  for (const name of ["Session", "Location", "QualityOfService", "QosPositionKpi", "PlatformOS"]) {
    const service = services.find((service) => service.name === `distributed_match_engine.${name}`)!;
    for (const [key, method] of Object.entries(service.methods)) assert.equal(engine.methods[key]!.input, method.input);
  }
});

Deno.test("region services: every call has rules, and the Show of a kind streams its objects", () => {
  for (const service of regionServices) {
    for (const method of Object.values(service.methods)) {
      assert.ok(method.api !== undefined, method.path);
      const kind = method.name.startsWith("Show") ? findKind(method.name.slice("Show".length)) : undefined;
      if (kind === undefined) continue;
      const isOnly = kind.message.descriptor.object!.keyFields.length === 0;
      assert.ok(method.responseStream !== isOnly && method.input === method.output, method.path);
    }
  }
  assert.equal(CloudletKind.owner(Cloudlet.create({ key: { organization: "o" } })), "o");
  assert.deepEqual(toJson(Cloudlet, Cloudlet.create()), {});
});

Deno.test("valuesAt leads through lists and maps", () => {
  const cloudlet = Cloudlet.create({ allianceOrgs: ["a", "b"], envVar: { X: "1", Y: "2" } });
  assert.deepEqual(valuesAt(Cloudlet.descriptor, cloudlet, "alliance_orgs"), ["a", "b"]);
  assert.deepEqual(valuesAt(Cloudlet.descriptor, cloudlet, "env_var"), ["1", "2"]);
  assert.deepEqual(valuesAt(Cloudlet.descriptor, cloudlet, "location.latitude"), []);
  const settings = Settings.create({
    edgeEventsMetricsContinuousQueriesCollectionIntervals: [{ interval: 1 }, { interval: 2 }],
  });
  const path = "edge_events_metrics_continuous_queries_collection_intervals.interval";
  assert.deepEqual(valuesAt(Settings.descriptor, settings, path), [1, 2]);
  assert.throws(() => valuesAt(Cloudlet.descriptor, cloudlet, "key.colour"), TypeError);
});
