import type { DataHandler } from "./data.ts";
import { readText } from "./data_input.ts";
import { requireOwnName } from "./names.ts";

/** Certificates for what devices connect to at the cloudlet: its load balancers. */
export const publicCertificateData: Readonly<Record<string, DataHandler>> = {
  async "get-public-cert"({ context, cloudlet, data }) {
    const name = requireOwnName(cloudlet, context.zone, readText(data), true);
    const issued = await context.issuer.issuePublic({ dnsNames: [name] });
    const ttl = Math.floor((issued.notAfterMs - context.clock.now()) / 1000);
    return { cert: issued.certPem, key: issued.keyPem, TTL: ttl };
  },
};
