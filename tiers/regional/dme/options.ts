import { defineOptions } from "../../../shared/service/mod.ts";

/** Options of the matching engine, those of every service excepted. */
export const dmeOptions = defineOptions({
  region: { kind: "string", default: "local", description: "Region that this process serves." },
  notifyAddrs: {
    kind: "list",
    default: ["127.0.0.1:50001"],
    description: "Notify addresses of the region's controllers, HOST:PORT; tried in turn.",
  },
  apiAddr: { kind: "address", default: "127.0.0.1:50051", description: "Where devices call by gRPC." },
  httpAddr: { kind: "address", default: "127.0.0.1:38001", description: "Where devices call by REST." },
  tlsDir: {
    kind: "path",
    required: true,
    description:
      "Folder with this service's identity (cert.pem, key.pem, ca.pem), for the connection to the controllers.",
  },
  publicTls: {
    kind: "bool",
    default: true,
    description: "Whether both ports for devices speak TLS; without it only behind something that does.",
  },
  publicTlsDir: {
    kind: "path",
    description: "Folder with the certificate (cert.pem, key.pem, ca.pem) of both ports for devices; renewed in place.",
  },
  secrets: {
    kind: "url",
    schemes: ["file"],
    description:
      "Secret store with the keys of the cookies, at REGION/jwtkeys/dme; only read. Needed without --access-api-addr.",
  },
  accessApiAddr: {
    kind: "string",
    pattern: /^\S+:[0-9]{1,5}$/,
    description:
      "HOST:PORT of the region's access API, on a cloudlet: this process gets its certificate itself, into --tls-dir, and " +
      "the keys of its cookies, by --access-key-file. Default: somebody else keeps --tls-dir and --secrets.",
  },
  accessKeyFile: {
    kind: "path",
    description: "File of the cloudlet's access key; never exchanged here, the resource manager does that.",
  },
  accessCa: { kind: "path", description: "File with the platform's root certificate, for the access API." },
  accessCheck: {
    kind: "duration",
    default: "1m",
    minMs: 100,
    description: "Pause between two looks whether the access key is still good; this process ends when it is not.",
  },
  publicName: {
    kind: "string",
    description:
      "Name, below the cloudlet's own, for which the region is asked for the certificate of the ports for devices, into " +
      "--public-tls-dir. With --access-api-addr only. Default: somebody else keeps it.",
  },
  tokenServerUri: {
    kind: "string",
    default: "",
    description: "Address of the operator's location token server, told to devices as it is.",
  },
  operator: {
    kind: "string",
    default: "standalone",
    description:
      "What stands for the operator's network: standalone (one place, even quality), location-api, or the path or URL " +
      "of a module (docs/plugins.md).",
  },
  operatorSettings: {
    kind: "list",
    default: [],
    pattern: /^[^=]+=/,
    form: "name=value",
    description: "Settings of the operator's plugin, as verify-url=https://…; its secrets are at REGION/operator/NAME.",
  },
  cookieExpiration: {
    kind: "duration",
    default: "24h",
    minMs: 1000,
    description: "How long a session cookie is good.",
  },
  edgeEventsCookieExpiration: {
    kind: "duration",
    default: "10m",
    minMs: 1000,
    description: "How long an edge-events cookie is good.",
  },
  rateLimit: {
    kind: "bool",
    default: true,
    description: "Whether devices that call too often are refused; the limits are the region's.",
  },
  edgeEventsMaxStreams: {
    kind: "int",
    default: 100_000,
    min: 1,
    description: "Event streams open at once; further ones are refused.",
  },
  dmeId: {
    kind: "string",
    pattern: /^[\x21-\x7e]{1,128}$/,
    description: "Name of this process in statistics, the same after a restart. Default: HOST@API-ADDRESS.",
  },
  cloudlet: {
    kind: "string",
    default: "",
    description:
      "Cloudlet in which this process runs, for statistics and the access API; empty: what its certificate " +
      "says, else beside the controllers.",
  },
  cloudletOrg: { kind: "string", default: "", description: "Organization of that cloudlet." },
  platformOrg: {
    kind: "string",
    default: "edgecloudorg",
    description: "Organization of the clusters that the platform makes, as the master controller has it.",
  },
  monitorUuidType: {
    kind: "string",
    default: "MobiledgeXMonitorProbe",
    description: "Kind of device names that probes use; no client records are made of these.",
  },
  randomTies: {
    kind: "bool",
    default: true,
    description:
      "Spread devices among instances within a kilometre of the nearest; without it the nearest is always taken.",
  },
});
