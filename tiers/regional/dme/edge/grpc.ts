import type { CallContext } from "../../../../shared/rpc/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { dme } from "../../../../shared/schema/mod.ts";
import { open } from "./open.ts";
import { EdgeConnection } from "./connection.ts";
import type { EdgeDesk } from "./desk.ts";
import { Outbox } from "./outbox.ts";

/** Serves StreamEdgeEvent by gRPC. */
export function edgeEventHandler(desk: EdgeDesk) {
  return async function* streamEdgeEvent(
    requests: AsyncIterable<dme.ClientEdgeEvent>,
    context: CallContext,
  ): AsyncGenerator<dme.ServerEdgeEvent> {
    const caller = { address: context.peer.address };
    await open(desk, caller);
    const outbox = new Outbox({ capacity: desk.limits.queuedEvents, cut: (error) => context.cut(error) });
    const connection = new EdgeConnection(desk, caller, outbox);
    const gone = () => connection.end(new RpcError(Status.CANCELLED, "The client has gone"), true);
    context.signal.addEventListener("abort", gone, { once: true });
    void read(connection, requests);
    try {
      yield* outbox;
    } finally {
      context.signal.removeEventListener("abort", gone);
      gone();
    }
  };
}

async function read(connection: EdgeConnection, requests: AsyncIterable<dme.ClientEdgeEvent>): Promise<void> {
  try {
    for await (const event of requests) {
      await connection.receive(event);
      if (connection.over) return;
    }
    connection.inputEnded();
  } catch (error) {
    connection.end(RpcError.from(error));
  }
}
