import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { admit, type Caller } from "../api/mod.ts";
import type { EdgeDesk } from "./desk.ts";

/** Settles whether a caller may open a stream now. @throws {RpcError} When it may not. */
export async function open(edge: EdgeDesk, caller: Caller): Promise<void> {
  const turn = admit(edge.desk, "StreamEdgeEvent", caller);
  if (turn !== undefined) await turn;
  const why = edge.desk.notReady();
  if (why !== undefined) throw new RpcError(Status.UNAVAILABLE, why);
  edge.requireRoom();
}
