import assert from "node:assert/strict";
import fc from "fast-check";
import { AppInst, dme, toJson } from "../../../../shared/schema/mod.ts";
import { cloudlet, cloudletKey } from "../matching/fixture.ts";
import { overBothFaces, type TestClient } from "../testing/clients.ts";
import { appInst, type TestRegion, testRegion } from "../testing/region.ts";
import type { RegionInstance } from "./desk.ts";
import { foundReply } from "./find_cloudlet.ts";
import { foundForms, FoundReply, PreparedInstances } from "./prepared.ts";

const ALPHA = ["acme", "alpha", "1.1"] as const;
const AT = { latitude: 48.1, longitude: 11.5 };

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"edge_events_cookie":""', "\\", "a.example.net"));
const coordinate = fc.double({ min: -90, max: 90, noNaN: true });
const place = fc.record({ latitude: coordinate, longitude: coordinate, altitude: fc.double() });
const port = fc.record({
  proto: fc.constantFrom(...Object.values(dme.LProto)),
  internalPort: fc.nat(65_535),
  publicPort: fc.nat(65_535),
  fqdnPrefix: text,
  tls: fc.boolean(),
  maxPktSize: fc.nat(),
});

Deno.test("prepared forms are those of the plain reply, whatever the instance is called and wherever it is", async () => {
  const { desk } = testRegion();
  const instances = fc.record({
    ...{ uri: text, mappedPorts: fc.array(port, { maxLength: 3 }), cloudletLoc: fc.option(place, { nil: undefined }) },
    ...{ name: text, organization: text, around: place, from: place },
  });
  await fc.assert(fc.asyncProperty(instances, async ({ name, organization, around, from, ...parts }) => {
    const cluster = { clusterKey: { name }, cloudletKey: { name: organization, organization: name }, organization };
    const instance = AppInst.create({ ...parts, key: { clusterInstKey: cluster } });
    const entry = { instance, location: instance.cloudletLoc ?? dme.Loc.create(around) } as unknown as RegionInstance;
    for (let round = 0; round < 2; round++) {
      const reply = await foundReply(desk, entry, dme.Loc.create(from));
      assert.ok(reply instanceof FoundReply);
      const cookie = await desk.edgeEvents.issue({
        ...{ clusterOrganization: organization, clusterName: name, cloudletOrganization: name },
        ...{ cloudletName: organization, location: from },
      });
      const plain: dme.FindCloudletReply = dme.FindCloudletReply.create({
        status: dme.FindCloudletReply_FindStatus.FIND_FOUND,
        fqdn: instance.uri,
        ports: instance.mappedPorts,
        cloudletLocation: instance.cloudletLoc ?? around,
        edgeEventsCookie: cookie,
      });
      assert.deepEqual(reply.plain(), plain);
      assert.deepEqual(dme.FindCloudletReply.create(reply), plain);
      assert.equal(foundForms.print(reply), JSON.stringify(toJson(dme.FindCloudletReply, plain, "dme")));
      const encoded = dme.FindCloudletReply.encode(plain);
      assert.deepEqual(foundForms.encode(reply), encoded);
      assert.deepEqual(foundForms.encode(plain), encoded);
    }
  }));
});

Deno.test("what was encoded stays as it is when others are encoded after it", async () => {
  const region = testRegion();
  const entry = region.tables.instance(appInst(ALPHA, "northtel", "north-3", "", [0, 0]).key)!;
  const replies = await Promise.all(
    Array.from(
      { length: 500 },
      (_, longitude) => foundReply(region.desk, entry, dme.Loc.create({ latitude: 1, longitude: longitude / 10 })),
    ),
  );
  const encoded = replies.map((reply) => foundForms.encode(reply));
  encoded.forEach((bytes, at) => assert.deepEqual(dme.FindCloudletReply.decode(bytes), replies[at]!.plain()));
});

Deno.test("so many stay prepared as were prepared last, and no instance is kept for that", () => {
  const { tables } = testRegion();
  const entries = ["north-1", "north-2", "north-3"].map((name) => {
    tables.setInstance(appInst(ALPHA, "northtel", name, `${name}.example.net`, [0, 0]));
    return tables.instance(appInst(ALPHA, "northtel", name, "", [0, 0]).key)!;
  });
  const prepared = new PreparedInstances(2);
  const held = () => entries.map(({ instance }) => instance.prepared !== undefined);
  for (const entry of [...entries.slice(0, 2), ...entries.slice(0, 2)]) prepared.of(entry);
  assert.deepEqual(held(), [true, true, false]);
  assert.equal(prepared.of(entries[2]!), prepared.of(entries[2]!));
  assert.deepEqual(held(), [false, true, true]);
  prepared.of(entries[0]!);
  assert.deepEqual(held(), [true, false, true]);
});

/** What a device is told of the nearest instance. */
async function told(client: TestClient): Promise<[string, number[], number | undefined]> {
  const [orgName, appName, appVers] = ALPHA;
  const { sessionCookie } = await client.call("registerClient", { orgName, appName, appVers });
  const reply = await client.call("findCloudlet", { sessionCookie, carrierName: "northtel", gpsLocation: AT });
  return [reply.fqdn, reply.ports.map(({ publicPort }) => publicPort), reply.cloudletLocation?.latitude];
}

overBothFaces(
  "a reply follows every change of the instance and of its cloudlet",
  async (client, region: TestRegion) => {
    const { tables } = region;
    const instance = (uri: string, publicPort: number, cloudletLoc?: { latitude: number; longitude: number }) =>
      AppInst.create({
        ...appInst(ALPHA, "northtel", "north-3", uri, [0, 0]),
        mappedPorts: [{ publicPort }],
        cloudletLoc,
      });
    const own = dme.Loc.create({ latitude: 48, longitude: 11 });
    tables.setInstance(instance("one.example.net", 1, own));
    assert.deepEqual(await told(client), ["one.example.net", [1], 48]);
    tables.setInstance(instance("two.example.net", 1, own));
    assert.deepEqual(await told(client), ["two.example.net", [1], 48]);
    tables.setInstance(instance("two.example.net", 2, own));
    assert.deepEqual(await told(client), ["two.example.net", [2], 48]);
    tables.setInstance(instance("two.example.net", 2, { latitude: 48.05, longitude: 11 }));
    assert.deepEqual(await told(client), ["two.example.net", [2], 48.05]);
    // Without a place of its own it has its cloudlet's.
    tables.setInstance(instance("two.example.net", 2));
    assert.deepEqual(await told(client), ["two.example.net", [2], 48.1351]);
    tables.setCloudlet(cloudlet("northtel", "north-3", 48.2, 11.5));
    assert.deepEqual(await told(client), ["two.example.net", [2], 48.2]);
    tables.removeInstance(instance("", 0).key);
    tables.setInstance(instance("three.example.net", 3));
    assert.deepEqual(await told(client), ["three.example.net", [3], 48.2]);
    tables.setCloudletInfo({ key: cloudletKey("northtel", "north-3"), state: 0 });
    assert.notEqual((await told(client))[0], "three.example.net");
  },
  testRegion,
);
