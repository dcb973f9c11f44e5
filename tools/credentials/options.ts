import { type ConfigOf, defineOptions } from "../../shared/service/mod.ts";

/** Longest life of a certificate that nobody renews by itself, ms. */
const MAX_TTL_MS = 30 * 86_400_000;

/** Options of `credentials`. */
export const credentialsOptions = defineOptions({
  data: {
    kind: "path",
    default: "data",
    description: "Data folder of the platform whose authority issues the certificate.",
  },
  secrets: {
    kind: "url",
    schemes: ["file"],
    description: "Secret store that holds the authority, where the platform was started with --secrets.",
  },
  region: { kind: "string", default: "local", pattern: /^\w+$/, description: "Region of the cloudlet." },
  cloudletOrg: { kind: "string", required: true, description: "Operator that the cloudlet belongs to." },
  cloudlet: { kind: "string", required: true, description: "Name of the cloudlet." },
  service: { kind: "enum", values: ["crm", "shepherd"], default: "crm", description: "Service that runs there." },
  dnsNames: { kind: "list", default: [], description: "Names of its machine, beside localhost." },
  ipAddresses: { kind: "list", default: [], description: "Addresses of its machine, beside those of loopback." },
  ttl: {
    kind: "duration",
    default: "72h",
    minMs: 60_000,
    maxMs: MAX_TTL_MS,
    description:
      "Life of the certificate. Run this again before it ends; the service takes the new one without a restart.",
  },
  out: {
    kind: "path",
    required: true,
    description: "Folder for cert.pem, key.pem and ca.pem: the service's --tls-dir.",
  },
  help: { kind: "bool", default: false, description: "Print this page and end." },
});

/** Values of the options. */
export type CredentialsConfig = ConfigOf<typeof credentialsOptions>;
