import assert from "node:assert/strict";
import { createChannel, createClient, rawBytes } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import { refusal } from "../testing/clients.ts";
import { testRegion } from "../testing/region.ts";

Deno.test("the paths of both generations of clients are served", async () => {
  const region = testRegion();
  const { server, address } = await region.grpcServer();
  const channel = createChannel({ address });
  try {
    const defaults = { timeoutMs: 30_000 };
    const { sessionCookie } = await createClient(dme.Session, channel, defaults).registerClient(
      dme.RegisterClientRequest.create({ orgName: "acme", appName: "alpha", appVers: "1.1" }),
    );
    const matchEngine = createClient(dme.MatchEngineApi, channel, defaults);
    const gpsLocation = { latitude: 50, longitude: 8 };
    const found = await matchEngine.findCloudlet(dme.FindCloudletRequest.create({ sessionCookie, gpsLocation }));
    assert.equal(found.status, dme.FindCloudletReply_FindStatus.FIND_FOUND);
    const verify = dme.VerifyLocationRequest.create({ sessionCookie, gpsLocation });
    const byOld = await matchEngine.verifyLocation(verify);
    assert.deepEqual(await createClient(dme.Location, channel, defaults).verifyLocation(verify), byOld);
    const group = dme.DynamicLocGroupRequest.create({ sessionCookie });
    const groups = createClient(dme.DynamicLocGroupApi, channel, defaults);
    assert.equal((await groups.addUserToGroup(group)).status, dme.ReplyStatus.RS_SUCCESS);
    await assert.rejects(
      createClient(dme.PlatformOS, channel, defaults).getFqdnList(dme.FqdnListRequest.create({ sessionCookie })),
      refusal("PERMISSION_DENIED", /acme/),
    );
    const quality = createClient(dme.QualityOfService, channel, defaults);
    await quality.qosPrioritySessionDelete(dme.QosPrioritySessionDeleteRequest.create({ sessionCookie }));
    const told = await groups.sendToGroup(dme.DlgMessage.create({ lgId: 4, messageId: 7, message: "hello" }));
    assert.equal(told.ackId, 7);
    const positions = dme.QosPositionRequest.create({ sessionCookie, positions: [{ positionid: 5, gpsLocation }] });
    for (const client of [matchEngine, createClient(dme.QosPositionKpi, channel, defaults)]) {
      const replies = await Array.fromAsync(client.getQosPositionKpi(positions));
      assert.deepEqual(replies.map(({ positionResults }) => positionResults.map(({ positionid }) => positionid)), [[
        5,
      ]]);
    }
    for (const request of [{ sessionCookie }, { sessionCookie, positions: [{ positionid: 5 }] }]) {
      const kpi = matchEngine.getQosPositionKpi(dme.QosPositionRequest.create(request));
      await assert.rejects(Array.fromAsync(kpi), refusal("INVALID_ARGUMENT", /position/i));
    }
    const events = matchEngine.streamEdgeEvent(ReadableStream.from([dme.ClientEdgeEvent.create()]));
    await assert.rejects(Array.fromAsync(events), refusal("INVALID_ARGUMENT", /EVENT_INIT_CONNECTION/));
  } finally {
    channel.close();
    await server.close();
  }
});

Deno.test("the bytes of golden case 45 register, bytes that are no message are refused", async () => {
  const region = testRegion();
  const { server, address } = await region.grpcServer();
  const channel = createChannel({ address });
  const path = dme.MatchEngineApi.methods.registerClient.path;
  const raw = {
    name: "Raw",
    methods: { call: { path, requestStream: false, responseStream: false, input: rawBytes, output: rawBytes } },
  } as const;
  try {
    const client = createClient(raw, channel, { timeoutMs: 30_000 });
    const reply = dme.RegisterClientReply.decode(
      await client.call(Uint8Array.fromHex("120461636d651a05616c7068612203312e31")),
    );
    assert.equal(reply.status, dme.ReplyStatus.RS_SUCCESS);
    await assert.rejects(client.call(Uint8Array.fromHex("12ff")), refusal("INTERNAL", /decoded/));
  } finally {
    channel.close();
    await server.close();
  }
});
