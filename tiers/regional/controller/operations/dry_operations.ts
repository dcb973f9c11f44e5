import { RpcError } from "../../../../shared/rpc/mod.ts";
import { CRMOverride } from "../../../../shared/schema/mod.ts";
import { actionInProgress, type AnyKind } from "../faults.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { readOperationRow } from "../state/operation_row.ts";
import { operationRow } from "../state/rows.ts";
import type { Operation, OperationRunner, RunOptions } from "./operation.ts";
import { Progress } from "./progress.ts";

/** Ends the body of a dry operation where it would wait for others to act. */
class WouldWait extends Error {}

/** Operations of one dry run: they take no object, and end well where a site would have to do something. */
export class DryOperations implements OperationRunner {
  run(
    kind: AnyKind,
    keyString: string,
    action: string,
    body: (operation: Operation) => Promise<void>,
    { override = CRMOverride.NO_OVERRIDE }: RunOptions = {},
  ): Progress {
    const progress = new Progress();
    const operation: Operation = {
      progress,
      override,
      async claim(tx) {
        const row = readOperationRow(await tx.getRow(operationRow(kind, keyString)));
        if (row === undefined || overrideOf(override).ignoresBusy) return;
        throw actionInProgress(kind, keyString, row.action, action);
      },
      note: () => Promise.resolve(),
      hold: () => Promise.resolve(),
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
