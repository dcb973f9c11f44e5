import { PlatformError } from "../../shared/platform/mod.ts";
import { type Engine, EngineError } from "./engine.ts";

/** Makes a bridge network. Throws {@linkcode PlatformError}: Quota when the engine has no addresses left. */
export async function createNetwork(
  engine: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const body = { Name: name, Driver: "bridge", CheckDuplicate: true, Labels: labels };
  try {
    await engine.call({ method: "POST", path: "/networks/create", body, signal });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const full = /no available .*address pool|could not find an available/i.test(error.message);
    throw new PlatformError(full ? "Quota" : "Inconsistent", `The network cannot be created: ${error.message}`, {
      cause: error,
    });
  }
}

/** Removes a network; one that is not there is a success. */
export async function removeNetwork(engine: Engine, id: string, signal?: AbortSignal): Promise<void> {
  try {
    await engine.call({ method: "DELETE", path: `/networks/${id}`, signal });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.status === 404) return;
    throw new PlatformError("Inconsistent", `The network cannot be removed: ${error.message}`, { cause: error });
  }
}
