import { Buffer } from "node:buffer";
import { Etcd3, type IOptions } from "etcd3";
import type { StoreTls } from "../deps.ts";
import { CompactedError, StoreError } from "../errors.ts";
import { READ_TIMEOUT_MS, WRITE_TIMEOUT_MS } from "../limits.ts";

/** The parts of the etcd client that the driver uses: its raw calls. */
export type EtcdClient = Pick<Etcd3, "kv" | "watchClient" | "leaseClient" | "maintenance" | "close">;

/** One watch request's life: an answer may come at any time until the stream ends or fails. */
export type WatchStream = Awaited<ReturnType<EtcdClient["watchClient"]["watch"]>>;

const KEEP_ALIVE_INTERVAL_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5000;
const RECONNECT_MAX_MS = 2000;

/** Time for which an endpoint that could not be reached is passed over while there are others, in milliseconds. */
const AVOID_DOWN_ENDPOINT_MS = 2000;

/** What grpc says when it could not even connect, so that the server surely never saw the call. */
const NEVER_SENT = "No connection established";

/** Makes the client. It connects on first use. */
export function connectEtcd(endpoints: string[], tls: StoreTls | undefined): EtcdClient {
  // The library's own retries are off: it would repeat a transaction whose answer was lost, and report the second
  // outcome. `call` below repeats only what is safe.
  const global = { execute: <T>(make: Make<T>) => execute(make) } as unknown as Policy;
  const host = () => (endpoints.length > 1 ? avoidWhenDown() : global);
  return new Etcd3({
    hosts: endpoints,
    credentials: tls && {
      rootCertificate: buffer(tls.ca)!,
      privateKey: buffer(tls.privateKey),
      certChain: buffer(tls.certificateChain),
    },
    grpcOptions: {
      "grpc.max_receive_message_length": -1,
      "grpc.keepalive_time_ms": KEEP_ALIVE_INTERVAL_MS,
      "grpc.keepalive_timeout_ms": KEEP_ALIVE_TIMEOUT_MS,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MAX_MS,
    },
    faultHandling: { global, host },
    defaultCallOptions: ({ isStream, method }) =>
      isStream ? {} : { deadline: Date.now() + (method === "range" ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS) },
  });
}

const NEVER_ABORTED = new AbortController().signal;

type Policy = NonNullable<NonNullable<IOptions["faultHandling"]>["global"]>;
type Make<T> = (context: { signal: AbortSignal }) => Promise<T> | T;

/** Rejects where `make` throws at once, which the library relies on. */
async function execute<T>(make: Make<T>): Promise<T> {
  return await make({ signal: NEVER_ABORTED });
}

/** One endpoint of several: after it could not be reached the library goes to the next one for a while. */
function avoidWhenDown(): Policy {
  let downUntilMs = 0;
  const policy = {
    async execute<T>(make: Make<T>): Promise<T> {
      if (performance.now() < downUntilMs) throw new Error(`${NEVER_SENT}: endpoint could not be reached a moment ago`);
      try {
        return await execute(make);
      } catch (error) {
        if (messageOf(error).includes(NEVER_SENT)) downUntilMs = performance.now() + AVOID_DOWN_ENDPOINT_MS;
        throw error;
      }
    },
  };
  return policy as unknown as Policy;
}

/**
 * Makes a call, on another endpoint again where that is safe: always for reads, and for writes only when the call never
 * left this machine. Errors become StoreErrors; `revision` is named in one about a revision.
 */
export async function call<T>(
  make: () => Promise<T>,
  options: { endpoints: number; read: boolean; revision?: number },
): Promise<T> {
  for (let left = options.endpoints;; left--) {
    try {
      return await make();
    } catch (error) {
      const described = describe(error, options.revision);
      const safe = described.reason === "unavailable" && (options.read || messageOf(error).includes(NEVER_SENT));
      if (!safe || left <= 0) throw described;
    }
  }
}

/** Turns what the client threw into a StoreError. The client has classes for few of etcd's errors, so texts decide. */
export function describe(error: unknown, revision?: number): StoreError {
  if (error instanceof StoreError) return error;
  const message = messageOf(error);
  const cause = { cause: error };
  if (message.includes("required revision has been compacted")) return new CompactedError(revision!, undefined, cause);
  if (message.includes("required revision is a future revision")) {
    return new StoreError("future", `Revision ${revision} does not exist yet`, cause);
  }
  if (message.includes("requested lease not found") || message.includes("is expired or revoked")) {
    return new StoreError("lease", "Lease has expired or never was", cause);
  }
  if (message.includes("database space exceeded")) {
    return new StoreError("full", "No space left in etcd (its quota is used up): the write was not made", cause);
  }
  if (message.includes("client was already closed")) return new StoreError("closed", "Store is closed", cause);
  if (message.includes("etcdserver: request is too large") || message.includes("too many operations")) {
    return new StoreError("invalid", `etcd refused the request: ${message}`, cause);
  }
  const unknown = message.includes(NEVER_SENT) ? "" : "; a write may or may not have been made";
  return new StoreError("unavailable", `etcd does not answer: ${message}${unknown}`, cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A Buffer over the same bytes, as the client's types want. */
export function buffer(bytes: Uint8Array): Buffer;
export function buffer(bytes: Uint8Array | undefined): Buffer | undefined;
export function buffer(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
