import assert from "node:assert/strict";
import { type AutoProvCounts, AutoProvPolicy, ClusterInst, TrackedState } from "../../../../shared/schema/mod.ts";
import { appId } from "../matching/mod.ts";
import { Demand } from "./demand.ts";

const APP = { organization: "acme", name: "someapp", version: "1.0" };
const ID = appId("acme", "someapp", "1.0");
const PLACES = [1, 4, 8];
const cloudletKey = (place: number, organization = "oper") => ({
  organization,
  name: `${place},${place}`,
  federatedOrganization: "",
});

function policy(name: string, places: readonly number[], intervals: number, clients = 2): AutoProvPolicy {
  return AutoProvPolicy.create({
    key: { organization: "acme", name },
    deployClientCount: clients,
    deployIntervalCount: intervals,
    cloudlets: places.map((place) => ({ key: cloudletKey(place) })),
  });
}

function cluster(place: number, more: Partial<ClusterInst> = {}): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name: "free" }, cloudletKey: cloudletKey(place), organization: "edgecloudorg" },
    reservable: true,
    state: TrackedState.READY,
    deployment: "kubernetes",
    flavor: { name: "small" },
    ...more,
  });
}

function world(policies: AutoProvPolicy[], options: { clusters?: number[] } = {}) {
  const sent: AutoProvCounts[] = [];
  const demand = new Demand({
    dmeId: "one",
    platformOrganization: "edgecloudorg",
    now: () => 5000,
    send: (counts) => sent.push(counts) > 0,
  });
  for (const place of PLACES) {
    demand.setCloudlet({ key: cloudletKey(place), location: { latitude: place, longitude: place }, allianceOrgs: [] });
  }
  for (const place of options.clusters ?? PLACES) demand.setCluster(cluster(place));
  for (const each of policies) demand.setPolicy(each);
  const app = (names: string[]) =>
    demand.setApp({ key: APP, autoProvPolicies: names, deployment: "helm", defaultFlavor: { name: "small" } });
  app(policies.map(({ key }) => key.name));
  const from = (place: number, carrier = "", foundKm?: number) =>
    demand.searched(ID, carrier, { latitude: place, longitude: place }, foundKm);
  const counts = () =>
    Object.fromEntries(demand.collect()?.counts.map(({ cloudletKey, count }) => [cloudletKey.name, count]) ?? []);
  return { demand, sent, app, from, counts };
}

Deno.test("demand: without policies nothing is counted, golden case 32", () => {
  const { from, counts, sent } = world([]);
  PLACES.forEach((place) => from(place));
  assert.deepEqual([counts(), sent], [{}, []]);
});

Deno.test("demand: the nearest cloudlet of a policy has it, golden case 33", () => {
  const { from, counts, sent } = world([policy("p01", [1, 4], 2)]);
  PLACES.forEach((place) => from(place));
  assert.deepEqual([counts(), sent], [{ "1,1": 1, "4,4": 2 }, []]);
  assert.deepEqual(counts(), {}, "what has not changed is not told again");
});

Deno.test("demand: of several policies the quicker one, which deploys at once, golden case 34", () => {
  const { from, counts, sent } = world([
    ...[policy("p01", [1, 4], 2), policy("p12", [4, 8], 2), policy("p012", PLACES, 2)],
    ...[policy("i01", [1, 4], 1), policy("i12", [4, 8], 1), policy("i012", PLACES, 1)],
  ]);
  for (let round = 0; round < 2; round++) PLACES.forEach((place) => from(place));
  assert.deepEqual(sent.map(({ counts }) => counts.length), [1, 1, 1]);
  for (const [index, { counts: [count], dmeNodeName, timestamp }] of sent.entries()) {
    const key = cloudletKey(PLACES[index]!);
    assert.deepEqual([count!.count, count!.processNow, count!.cloudletKey], [2, true, key]);
    assert.deepEqual(count!.deployNowKey, {
      clusterKey: { name: "autocluster-autoprov" },
      cloudletKey: key,
      organization: "edgecloudorg",
    });
    assert.deepEqual([dmeNodeName, timestamp?.seconds], ["one", 5]);
  }
  from(1);
  assert.equal(sent.length, 4, "every further one in the interval tells again");
  assert.deepEqual(counts(), { "1,1": 3, "4,4": 2, "8,8": 2 });
  from(1);
  assert.equal(sent.length, 4, "an interval begins anew");
});

Deno.test("demand: a free cluster that fits beats what is nearer, and one that is taken does not", () => {
  const { demand, from, counts } = world([policy("p", PLACES, 2)], { clusters: [8] });
  from(1);
  assert.deepEqual(counts(), { "8,8": 1 });
  demand.setCluster(cluster(8, { reservedBy: "acme" }));
  from(1);
  assert.deepEqual(counts(), { "1,1": 1 });
  demand.setCluster(cluster(4, { flavor: { name: "large" } }));
  demand.setCluster(cluster(4, { deployment: "docker" }));
  from(1);
  assert.deepEqual(counts(), { "1,1": 2 });
});

Deno.test("demand: what is served as well is none, and carriers have their own cloudlets", () => {
  const { demand, from, counts } = world([policy("p", PLACES, 2)]);
  from(1, "", 0);
  from(1, "other");
  assert.deepEqual(counts(), {});
  from(1, "oper", 1);
  from(4, "oper", 1e-9);
  assert.deepEqual(counts(), { "1,1": 1, "4,4": 1 });
  demand.setCloudlet({ key: cloudletKey(8), location: { latitude: 8, longitude: 8 }, allianceOrgs: ["other"] });
  from(1, "other");
  assert.deepEqual(counts(), { "8,8": 1 });
});

Deno.test("demand: a policy that is taken off the app clears what was counted, one that is added does not", () => {
  const { from, counts, app, demand } = world([policy("p", [1], 2), policy("q", [4], 2)]);
  from(1);
  app(["p", "q"]);
  assert.deepEqual(counts(), { "1,1": 1 });
  app(["p"]);
  from(1);
  assert.deepEqual(counts(), { "1,1": 1 });
  demand.removeApp(APP);
  from(1);
  assert.deepEqual(counts(), {});
});
