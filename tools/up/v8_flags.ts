/**
 * Flags of the engine for the controller, a parent of many children: its young generation is kept small, since that grows
 * with every burst and is given back to the system late. Measured with 1 000 children: some 50 MiB less, no slower. It must not
 * be smaller than what 64 calls have under way, which would be copied by collection after collection: with 2 MiB a
 * creation takes a third more CPU, and with children the memory is the same.
 */
export const PARENT_V8_FLAGS: readonly string[] = ["--max-semi-space-size=8"];

/**
 * Flags of the engine for services to which strangers connect over `node:tls`. What the runtime's native side holds for a
 * connection that is gone (50 KB, measured) is freed when the engine collects, of which it knows nothing: by itself it waits
 * for thousands of connections, or until its own heap has grown fourfold. So the young generation is small, and the old one
 * is collected when it has doubled; sooner, and calls wait for it while many instances change. Measured after 40 000
 * connections: 250 instead of 400 MiB; a call costs no more.
 */
export const DOOR_V8_FLAGS: readonly string[] = ["--max-semi-space-size=4", "--heap-growing-percent=120"];
