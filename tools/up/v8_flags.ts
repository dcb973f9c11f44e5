/**
 * Flags of the engine for the controller, a parent of many children: its young generation is kept small, since that grows
 * with every burst and is given back to the system late. Measured with 1 000 children: 80 MiB less, no slower. It must not
 * be smaller than what 64 calls have under way, which would be copied by collection after collection: with 2 MiB a
 * creation takes a third more CPU, and with children the memory is the same.
 */
export const PARENT_V8_FLAGS: readonly string[] = ["--max-semi-space-size=8"];

/**
 * Flags of the engine for services to which strangers connect over `node:tls`. What the runtime's native side holds for a
 * connection that is gone (50 KB, measured) is freed when the young generation is collected, which the engine, knowing
 * nothing of those bytes, otherwise does every few thousand connections: the process then grows to twice its size. A call
 * costs no more.
 */
export const DOOR_V8_FLAGS: readonly string[] = ["--max-semi-space-size=4"];
