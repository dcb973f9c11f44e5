import { type Channel, createClient, RpcError, Status } from "../../shared/rpc/mod.ts";
import { dme, queryqos } from "../../shared/schema/mod.ts";

/** A place without a time is asked for so far ahead, seconds (DME specification 4.10). */
const LOOK_AHEAD_SECONDS = 1000;

/** GetQosPositionKpi by an operator's prediction service, whose replies are passed on as they come. */
export async function* qosPositionKpi(
  channel: Channel | undefined,
  nowMs: number,
  timeoutMs: number,
  request: dme.QosPositionRequest,
): AsyncGenerator<dme.QosPositionKpiReply> {
  if (channel === undefined) throw new RpcError(Status.INVALID_ARGUMENT, "No QoS position service is configured");
  const asked = new Map(request.positions.map(({ positionid, gpsLocation }) => [positionid, gpsLocation]));
  const replies = createClient(queryqos.QueryQoS, channel).queryQoSKPI(
    queryqos.QoSKPIRequest.create({
      requestid: nowMs,
      requests: request.positions.map(({ positionid, gpsLocation }) => ({
        positionid,
        latitude: gpsLocation!.latitude,
        longitude: gpsLocation!.longitude,
        altitude: gpsLocation!.altitude,
        timestamp: gpsLocation!.timestamp?.seconds || Math.floor(nowMs / 1000) + LOOK_AHEAD_SECONDS,
      })),
      ltecategory: request.lteCategory,
      bandselection: bands(request.bandSelection),
    }),
    { timeoutMs },
  );
  for await (const { results } of replies) {
    yield dme.QosPositionKpiReply.create({
      status: dme.ReplyStatus.RS_SUCCESS,
      positionResults: results.map((result) => ({
        positionid: result.positionid,
        gpsLocation: asked.get(result.positionid),
        dluserthroughputMin: result.dluserthroughputMin,
        dluserthroughputAvg: result.dluserthroughputAvg,
        dluserthroughputMax: result.dluserthroughputMax,
        uluserthroughputMin: result.uluserthroughputMin,
        uluserthroughputAvg: result.uluserthroughputAvg,
        uluserthroughputMax: result.uluserthroughputMax,
        latencyMin: result.latencyMin,
        latencyAvg: result.latencyAvg,
        latencyMax: result.latencyMax,
      })),
    });
  }
}

function bands(selection: dme.BandSelection | undefined): Partial<queryqos.BandSelection> | undefined {
  if (selection === undefined) return undefined;
  const { rat2g, rat3g, rat4g, rat5g } = selection;
  return { RAT2G: rat2g, RAT3G: rat3g, RAT4G: rat4g, RAT5G: rat5g } as Partial<queryqos.BandSelection>;
}
