import type { KeyObject } from "node:crypto";
import { type CallOptions, type Channel, createClient, RpcError, Status } from "../rpc/mod.ts";
import { CloudletAccessApi, CloudletAccessKeyApi } from "../schema/mod.ts";
import { AccessMetadata, readAccessKey, signCall } from "./keys.ts";
import type { AccessKeyFile } from "./key_file.ts";

/** What services of a cloudlet can ask of their region. All methods throw RpcErrors. */
export interface AccessClient {
  /** Whether the key, or the one before it, is good; neither exchanges it nor touches its file. Throws when it is not. */
  verify(): Promise<void>;
  /**
   * Makes sure that the key is one that nobody else has seen: exchanges one that was issued for the first start. Also
   * finds out which of key and backup counts after an exchange that was cut off.
   *
   * @returns whether it was exchanged
   */
  upgrade(): Promise<boolean>;
  /** A certificate for a service of this cloudlet, and its key. */
  issueCert(service: string): Promise<{ certPem: string; keyPem: string }>;
  /** The platform's root. */
  rootCertificate(): Promise<string>;
  /** Anything else: a secret, a name, a signature. */
  data(type: string, data?: unknown): Promise<Uint8Array>;
}

/** What an access client is made of. */
export interface AccessClientOptions {
  /** To the access API, whose certificate it verifies. */
  readonly channel: Channel;
  /** JSON of the cloudlet's key. */
  readonly cloudletKey: string;
  readonly keyFile: AccessKeyFile;
  /** Longest wait for an answer, ms. @default 20000, as a refusal takes three seconds */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/** Makes a client of the access API that signs every call with the key in a file. */
export function createAccessClient(options: AccessClientOptions): AccessClient {
  const { channel, cloudletKey, keyFile, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const api = createClient(CloudletAccessApi, channel);
  const keyApi = createClient(CloudletAccessKeyApi, channel);

  async function signed(service: string, method: string, key: KeyObject): Promise<CallOptions> {
    const { challenge } = await api.getChallenge({}, { timeoutMs });
    const path = `/archipelago.${service}/${method}`;
    const metadata = {
      [AccessMetadata.key]: cloudletKey,
      [AccessMetadata.challenge]: challenge,
      [AccessMetadata.signature]: signCall(key, cloudletKey, path, challenge),
    };
    return { metadata, timeoutMs };
  }

  /** Makes a signed call, and once more where a balancer has led to a controller that does not know the challenge. */
  async function call<T>(
    service: string,
    method: string,
    privatePem: string,
    body: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const key = readAccessKey(privatePem);
    try {
      return await body(await signed(service, method, key));
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== Status.ABORTED) throw error;
      return await body(await signed(service, method, key));
    }
  }

  async function ask<T>(method: string, body: (options: CallOptions) => Promise<T>): Promise<T> {
    return await call("CloudletAccessApi", method, (await keyFile.read()).current, body);
  }

  const exchange = (privatePem: string, verifyOnly: boolean) =>
    call("CloudletAccessKeyApi", "UpgradeAccessKey", privatePem, async (options): Promise<"good" | "exchanged"> => {
      const acknowledged = Promise.withResolvers<void>();
      async function* requests() {
        yield { msg: verifyOnly ? "verify-only" : "upgrade", verifyOnly, haRole: "" };
        await acknowledged.promise;
        yield { msg: "ack-new-key", verifyOnly: false, haRole: "" };
      }
      let stored = false;
      try {
        for await (const { msg, crmPrivateAccessKey } of keyApi.upgradeAccessKey(requests(), options)) {
          if (msg === "verified" || msg === "upgrade-not-needed") return "good";
          if (msg === "commit-complete" && stored) return "exchanged";
          if (msg !== "new-key") throw new RpcError(Status.INTERNAL, `Unexpected answer ${JSON.stringify(msg)}`);
          // What is not on disk before it counts is lost when this process dies now.
          readAccessKey(crmPrivateAccessKey);
          await keyFile.replace(crmPrivateAccessKey, privatePem);
          stored = true;
          acknowledged.resolve();
        }
      } finally {
        acknowledged.resolve();
      }
      throw new RpcError(Status.UNAVAILABLE, "The exchange of the access key broke off");
    });

  /** The key, or the one before it when an exchange was cut off before the region knew of the new one. */
  async function withEither<T>(body: (privatePem: string) => Promise<T>, mend: boolean): Promise<T> {
    const { current, backup } = await keyFile.read();
    try {
      return await body(current);
    } catch (error) {
      const refused = error instanceof RpcError && error.code === Status.UNAUTHENTICATED;
      if (!refused || backup === undefined) throw error;
      const result = await body(backup);
      // The exchange has put another one there by itself.
      if (mend && (await keyFile.read()).current === current) await keyFile.restore();
      return result;
    }
  }

  return {
    async verify() {
      await withEither((privatePem) => exchange(privatePem, true), false);
    },
    upgrade: async () => await withEither((privatePem) => exchange(privatePem, false), true) === "exchanged",
    async issueCert(service) {
      const reply = await ask("IssueCert", (options) => api.issueCert({ commonName: service }, options));
      return { certPem: reply.publicCert, keyPem: reply.privateKey };
    },
    rootCertificate: async () => (await ask("GetCas", (options) => api.getCas({ issuer: "" }, options))).caChain,
    async data(type, data) {
      const bytes = data === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(data));
      return (await ask("GetAccessData", (options) => api.getAccessData({ type, data: bytes }, options))).data;
    },
  };
}
