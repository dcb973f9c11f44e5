import { connect } from "node:net";
import type { ProbeTarget } from "./apps.ts";

/** How long a proxied connection must stay open to count, in milliseconds; a proxy without its app closes within a few. */
const PROXIED_HOLD_MS = 200;

/**
 * Opens a connection to an instance and closes it again. Returns undefined when the instance answers, else why not.
 * Never throws.
 */
export function probe(target: ProbeTarget, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.hostname, port: target.port });
    let answered = false;
    let hold: ReturnType<typeof setTimeout> | undefined;
    const where = `${target.hostname}:${target.port}`;
    const finish = (failure: string | undefined) => {
      clearTimeout(hold);
      clearTimeout(limit);
      resolve(failure);
      socket.destroy();
    };
    const limit = setTimeout(() => finish(`No connection to ${where} within ${timeoutMs} ms`), timeoutMs);
    socket.on("error", (error: Error & { code?: string }) => {
      finish(`No connection to ${where}: ${error.code ?? error.message}`);
    });
    socket.on("data", () => finish(undefined));
    socket.on("connect", () => {
      if (!target.proxied) return finish(undefined);
      answered = true;
      hold = setTimeout(() => finish(undefined), PROXIED_HOLD_MS);
    });
    socket.on("close", () => finish(answered ? `${where} closes connections at once` : `No connection to ${where}`));
  });
}
