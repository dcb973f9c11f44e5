/**
 * What every transport of this library must do, as tests. A transport's own test file calls {@linkcode conformance}.
 * @module
 */
import { callTests } from "./conformance/calls.ts";
import { compressionTests } from "./conformance/compression.ts";
import { endingTests } from "./conformance/endings.ts";
import type { Transports } from "./conformance/harness.ts";
import { tlsTests } from "./conformance/tls.ts";

export type { Transports } from "./conformance/harness.ts";

/** Registers the whole suite for a pair of transports. */
export function conformance(name: string, transports: Transports): void {
  callTests(name, transports);
  compressionTests(name, transports);
  endingTests(name, transports);
  tlsTests(name, transports);
}
