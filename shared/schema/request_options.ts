/**
 * Request metadata of a region's API that concerns the call rather than its object. All are text.
 */
export const RequestOption = {
  /** Most objects that a show may send, a decimal number from 1 to {@linkcode MAX_PAGE_OBJECTS}. */
  limit: "x-archipelago-limit",
  /** Where a show goes on: what {@linkcode RequestOption.continueAt} of the trailers of the page before said. */
  continueAt: "x-archipelago-continue",
  /** `true`: check everything, tell what would be done, change nothing. */
  dryRun: "x-archipelago-dry-run",
  /**
   * Cloudlet pools that the caller's organization was invited to, as a JSON list of their keys: where a cloudlet is chosen
   * for an instance, those of other pools are out of the question. Without it, those of all pools are.
   */
  cloudletPools: "x-archipelago-cloudlet-pools",
} as const;

/** Most objects on one page of a show. Without a limit a show sends all there are. */
export const MAX_PAGE_OBJECTS = 10_000;

/** The token with which a show goes on after the object of this key. */
export function continueToken(keyString: string): string {
  return new TextEncoder().encode(keyString).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The key string after which a show goes on; undefined when the text is no such token. */
export function continueKey(token: string): string | undefined {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
