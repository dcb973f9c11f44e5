import { RpcError } from "../../../../shared/rpc/mod.ts";
import { actionInProgress, type AnyKind } from "../faults.ts";
import { operationRow } from "../state/rows.ts";
import type { Operation, OperationRunner } from "./operations.ts";
import { Progress } from "./progress.ts";

/** Ends the body of a dry operation where it would wait for others to act. */
class WouldWait extends Error {}

/** Operations of one dry run: they take no object, and end well where a site would have to do something. */
export class DryOperations implements OperationRunner {
  run(kind: AnyKind, keyString: string, action: string, body: (operation: Operation) => Promise<void>): Progress {
    const progress = new Progress();
    const operation: Operation = {
      progress,
      async claim(tx) {
        const row = await tx.getRow(operationRow(kind, keyString)) as { action?: string } | undefined;
        if (row !== undefined) throw actionInProgress(kind, keyString, row.action ?? "", action);
      },
      release() {},
      wait: () => Promise.reject(new WouldWait()),
    };
    body(operation).then(
      () => progress.end(),
      (error) => progress.end(error instanceof WouldWait ? undefined : RpcError.from(error)),
    );
    return progress;
  }
}
