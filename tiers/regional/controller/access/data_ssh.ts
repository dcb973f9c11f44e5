import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { SecretsError } from "../../../../shared/secrets/mod.ts";
import { CloudletKind } from "../../../../shared/schema/mod.ts";
import type { DataHandler } from "./data.ts";
import { readText } from "./data_input.ts";

/** Life of a machine's certificate, in milliseconds (cross-cutting specification 1.7). */
const CERTIFICATE_TTL_MS = 72 * 3_600_000;

/**
 * Certificates with which a resource manager logs in to the machines of its own cloudlet. Its only principal is derived from
 * the cloudlet, so that it opens no other site's machines, which trust the same authority.
 */
export const sshData: Readonly<Record<string, DataHandler>> = {
  "sign-ssh-key"({ context, cloudlet, data }) {
    const nowMs = context.clock.now();
    const publicKey = readText(data).trim();
    try {
      return Promise.resolve(context.ssh.certify({
        publicKey,
        principals: [sshPrincipal(cloudlet.dnsLabel)],
        keyId: `${context.zone.region} ${CloudletKind.keyString(cloudlet.key)}`,
        validFromMs: nowMs,
        validToMs: nowMs + CERTIFICATE_TTL_MS,
      }));
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      throw new RpcError(Status.INVALID_ARGUMENT, `data: ${error.message}`, { cause: error });
    }
  },
  "get-ssh-public-key": ({ context }) => Promise.resolve(context.ssh.publicKey),
};

/** The name under which a cloudlet's resource manager logs in to the cloudlet's machines. */
export function sshPrincipal(dnsLabel: string): string {
  return `cloudlet-${dnsLabel}`;
}
