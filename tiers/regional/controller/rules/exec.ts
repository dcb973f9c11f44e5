import { parseSince, splitWords } from "../../../../shared/exec/mod.ts";
import type { ExecRequest } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

/** What is asked for. */
export type ExecPurpose = "command" | "logs" | "console" | "cloudlet";

const MAX_COMMAND_CHARACTERS = 16 * 1024;
const CONTAINER = /^[a-zA-Z0-9][a-zA-Z0-9_. -]{0,252}$/;
/** Pod and container, names by RFC 1123. */
const POD_CONTAINER = /^[a-z0-9][a-z0-9.-]{0,252}(\/[a-z0-9][a-z0-9-]{0,62})?$/;

/** Checks a request by itself and against the deployment of its app (controller specification 2.5). */
export function checkExec(
  purpose: ExecPurpose,
  { containerId, cmd, log }: ExecRequest,
  deployment: string | undefined,
  issues: Issues,
  nowMs: number,
): void {
  if (containerId !== "") {
    const inPods = deployment === "kubernetes" || deployment === "helm";
    if (inPods) issues.check(POD_CONTAINER.test(containerId), "container_id", containerId, "must be POD/CONTAINER");
    else {issues.check(
        CONTAINER.test(containerId),
        "container_id",
        containerId,
        "must be the id or name of a container",
      );}
  }
  if (purpose === "command") {
    const command = cmd?.command ?? "";
    const words = splitWords(command);
    if (typeof words === "string") issues.add("cmd.command", command, `must be words as of a shell, but ${words}`);
    else issues.check(words.length > 0, "cmd.command", command, "must name a program");
    const fits = command.length <= MAX_COMMAND_CHARACTERS && !command.includes("\0");
    issues.check(
      fits,
      "cmd.command",
      command,
      `must have at most ${MAX_COMMAND_CHARACTERS} characters, none of them 0`,
    );
  }
  if (purpose === "logs") {
    const { since = "", tail = 0 } = log ?? {};
    const isMoment = since === "" || parseSince(since, nowMs) !== undefined;
    issues.check(isMoment, "log.since", since, "must be a duration such as 10m, or a moment as of RFC 3339");
    issues.check(tail >= 0, "log.tail", tail, "must be at least 0");
  }
}

/** Why what is asked for does not fit the app's deployment; undefined when it does. */
export function unfitDeployment(purpose: ExecPurpose, deployment: string): string | undefined {
  if (purpose === "console") return deployment === "vm" ? undefined : "RunConsole is for vm apps only";
  if (deployment !== "vm") return undefined;
  return purpose === "logs"
    ? "ShowLogs is not for vm apps, see RunConsole"
    : "RunCommand is not for vm apps, see RunConsole";
}
