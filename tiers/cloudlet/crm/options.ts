import { type ConfigOf, defineOptions } from "../../../shared/service/mod.ts";

/** Options of the cloudlet resource manager. */
export const crmOptions = defineOptions({
  cloudlet: {
    kind: "string",
    required: true,
    description:
      'Cloudlet that this process manages: "organization/name", or the key as JSON. Its certificate must name it.',
  },
  region: { kind: "string", default: "local", description: "Region of the cloudlet." },
  notifyAddrs: {
    kind: "list",
    required: true,
    pattern: /^\S+:[0-9]{1,5}$/,
    form: "host:port",
    description: "Notify addresses of the region's controllers, host:port; tried in turn.",
  },
  notifyAddr: {
    kind: "address",
    default: "127.0.0.1:0",
    description: "Address of the replication streams for other services of the site. Port 0 takes a free one.",
  },
  tlsDir: {
    kind: "path",
    required: true,
    description: "Folder with cert.pem, key.pem and ca.pem of this process. Renewed files are taken up while it runs.",
  },
  accessApiAddr: {
    kind: "string",
    pattern: /^\S+:[0-9]{1,5}$/,
    description:
      "HOST:PORT of the region's access API, from which this process gets its certificate itself, into --tls-dir, by " +
      "--access-key-file. Default: somebody else keeps --tls-dir.",
  },
  accessKeyFile: {
    kind: "path",
    description: "File of the cloudlet's access key (mcctl cloudlet generateaccesskey); exchanged at its first use.",
  },
  accessCa: { kind: "path", description: "File with the platform's root certificate, for the access API." },
  dataDir: {
    kind: "path",
    required: true,
    description: "Folder for what runs on the site: modules, logs and records of instances. One process per folder.",
  },
  runtime: {
    kind: "path",
    description: "Deno executable on which sandboxed apps run; any release. Default: the one that runs this process.",
  },
  moduleRoots: {
    kind: "list",
    default: [],
    description: "Folders from which modules of apps may be taken. Default: wherever this process may read.",
  },
  physicalName: { kind: "string", description: "Name of the site in its infrastructure. Default: the cloudlet's." },
  stopAppsOnExit: { kind: "bool", default: false, description: "End all apps when this process is asked to end." },
  probeInterval: {
    kind: "duration",
    default: "2s",
    minMs: 100,
    description: "Pause between two looks at whether an instance answers.",
  },
  createTimeout: { kind: "duration", default: "30m", minMs: 1000, description: "Longest creation or update." },
  deleteTimeout: { kind: "duration", default: "20m", minMs: 1000, description: "Longest deletion." },
  retryDelay: {
    kind: "duration",
    default: "5s",
    minMs: 100,
    description: "Pause before the infrastructure is tried again; doubles up to a minute.",
  },
});

/** Values of the options. */
export type CrmConfig = ConfigOf<typeof crmOptions>;
