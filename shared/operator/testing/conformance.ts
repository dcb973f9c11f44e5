import assert from "node:assert/strict";
import { RpcError } from "../../rpc/mod.ts";
import { dme } from "../../schema/mod.ts";
import type { Operator, PrioritySession } from "../mod.ts";

/** A plugin under test, opened against whatever is behind it. */
export interface OperatorUnderTest {
  readonly operator: Operator;
  /** A place that the network finds right, and the device's token there. */
  readonly truth: { readonly latitude: number; readonly longitude: number };
  readonly token: string;
  close(): Promise<void>;
}

const SESSION: PrioritySession = {
  profile: dme.QosSessionProfile.QOS_THROUGHPUT_DOWN_S,
  durationSeconds: 300,
  deviceAddress: "10.1.2.3",
  serverAddress: "10.9.9.9",
  devicePorts: "",
  serverPorts: "443",
  protocolIn: dme.QosSessionProtocol.TCP,
  protocolOut: dme.QosSessionProtocol.TCP,
  notificationUri: "",
  notificationToken: "",
};

/** What every operator plugin must do. */
export function testOperator(name: string, open: () => Promise<OperatorUnderTest>): void {
  const check = (what: string, body: (under: OperatorUnderTest) => Promise<void>) =>
    Deno.test(`operator ${name}: ${what}`, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.operator.close();
        await under.close();
      }
    });

  check("verifies the right place, and not the other end of the world", async ({ operator, truth, token }) => {
    const verify = async (latitude: number, longitude: number) => {
      const reply = await operator.verifyLocation(dme.VerifyLocationRequest.create({
        gpsLocation: { latitude, longitude },
        verifyLocToken: token,
      }));
      return [reply.gpsLocationStatus, reply.gpsLocationAccuracyKm];
    };
    const { LOC_VERIFIED } = dme.VerifyLocationReply_GPSLocationStatus;
    const [status, accuracy] = await verify(truth.latitude, truth.longitude);
    assert.deepEqual([status, [2, 10, 100].includes(accuracy!)], [LOC_VERIFIED, true]);
    const [wrong, none] = await verify(-truth.latitude, truth.longitude);
    assert.deepEqual([wrong !== LOC_VERIFIED, none], [true, -1]);
  });

  check("answers where a device is, if only that it does not know", async ({ operator }) => {
    const reply = await operator.getLocation(dme.GetLocationRequest.create({ carrierName: "acme" }));
    const found = reply.status === dme.GetLocationReply_LocStatus.LOC_FOUND;
    assert.equal(reply.networkLocation !== undefined, found);
  });

  check("tells the quality of every place once, least below mean below greatest", async ({ operator }) => {
    const positions = [7, 8, 9].map((positionid) => ({
      positionid,
      gpsLocation: { latitude: positionid, longitude: 1 },
    }));
    const replies = await Array.fromAsync(operator.qosPositionKpi(dme.QosPositionRequest.create({ positions })));
    const results = replies.flatMap(({ positionResults }) => positionResults);
    assert.deepEqual(results.map(({ positionid }) => positionid).sort(), [7, 8, 9]);
    for (const r of results) {
      assert.equal(r.gpsLocation?.latitude, r.positionid);
      for (
        const [min, avg, max] of [
          [r.dluserthroughputMin, r.dluserthroughputAvg, r.dluserthroughputMax],
          [r.uluserthroughputMin, r.uluserthroughputAvg, r.uluserthroughputMax],
          [r.latencyMin, r.latencyAvg, r.latencyMax],
        ] as const
      ) assert.ok(0 <= min && min <= avg && avg <= max);
    }
  });

  check("where it has sessions, keeps equal ones and replaces others", async ({ operator: { sessions } }) => {
    if (sessions === undefined) return;
    const first = await sessions.create(SESSION);
    assert.deepEqual([first.id !== "", first.kept, first.expiresAt - first.startedAt], [true, false, 300]);
    assert.deepEqual([(await sessions.create(SESSION)).id, (await sessions.create(SESSION)).kept], [first.id, true]);
    const other = await sessions.create({ ...SESSION, profile: dme.QosSessionProfile.QOS_LOW_LATENCY });
    assert.deepEqual([other.id !== first.id, other.kept], [true, false]);
    assert.equal(await sessions.delete(other.profile, other.id), "deleted");
    assert.equal(await sessions.delete(other.profile, other.id), "not found");
    await assert.rejects(
      sessions.create({ ...SESSION, profile: dme.QosSessionProfile.QOS_NO_PRIORITY }),
      (error) => error instanceof RpcError,
    );
  });
}
