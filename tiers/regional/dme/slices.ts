import type { Clock } from "../../../shared/runtime/mod.ts";

/**
 * Work is done for so long before devices are served again, ms: a call waits for one or two such slices. A pause costs a
 * millisecond or more, so slices are longer while nobody is served yet.
 */
const SLICE_MS = 1;
const FIRST_SLICE_MS = 20;

/**
 * Cuts work into slices: asked between two pieces of it, gives what is to be waited for when a slice is over, else undefined.
 * Everything that has arrived is served in the pause.
 *
 * @param isServing whether anybody is served yet
 */
export function slices(clock: Clock, isServing: () => boolean): () => Promise<void> | undefined {
  let begun = clock.monotonic();
  return () => {
    if (clock.monotonic() - begun < (isServing() ? SLICE_MS : FIRST_SLICE_MS)) return undefined;
    return clock.sleep(0).then(() => void (begun = clock.monotonic()));
  };
}
