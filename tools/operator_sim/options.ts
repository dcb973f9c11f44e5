import { type ConfigOf, defineOptions } from "../../shared/service/mod.ts";

/** Options of `operator-sim`. */
export const simOptions = defineOptions({
  httpAddr: {
    kind: "address",
    default: "127.0.0.1:38101",
    description: "Where the token server (/its), the location API (/verify) and the priority sessions answer.",
  },
  grpcAddr: {
    kind: "address",
    default: "127.0.0.1:38102",
    description: "Where the prediction service (queryqos.QueryQoS) answers, without TLS unless --tls-dir is given.",
  },
  tlsDir: {
    kind: "path",
    description: "Folder with cert.pem, key.pem and ca.pem for --grpc-addr, which then asks for a certificate.",
  },
  subscribers: {
    kind: "path",
    description:
      'JSON file of subscribers by IP address: {"10.0.0.1":{"latitude":52.5,"longitude":13.4,"home":"DE"}}. ' +
      "Default: one at 127.0.0.1 in Berlin.",
  },
  login: { kind: "string", default: "", description: "user:password that the location API asks for; empty: none." },
  apiKey: { kind: "string", default: "sim", description: "Value of the Authorization header for priority sessions." },
  fail: {
    kind: "list",
    default: [],
    pattern: /^(its|verify|sessions|kpi)=(\d{3}|garbage|stall)$/,
    form: "its|verify|sessions|kpi=STATUS|garbage|stall",
    description: "Faults: a status for every call of a part, an answer that cannot be read, or none at all.",
  },
  help: { kind: "bool", default: false, description: "Print this page and end." },
});

/** Values of the options. */
export type SimConfig = ConfigOf<typeof simOptions>;
