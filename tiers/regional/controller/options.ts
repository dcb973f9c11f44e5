import { type ConfigOf, defineOptions } from "../../../shared/service/mod.ts";

/** Options of the controller. */
export const controllerOptions = defineOptions({
  region: {
    kind: "string",
    default: "local",
    pattern: /^\w+$/,
    description: "Name of the region that this controller serves.",
  },
  store: {
    kind: "url",
    required: true,
    schemes: ["sqlite", "etcd"],
    description: "Where the region's objects are kept: sqlite:PATH for one controller, or etcd:https://HOST:PORT,…",
  },
  storeTlsDir: {
    kind: "path",
    description: "Folder with ca.pem and, where etcd asks for it, cert.pem and key.pem, for a store reached over TLS.",
  },
  autoUpgrade: {
    kind: "bool",
    default: false,
    description: "Bring a store of an earlier data model up to this one at the start, instead of refusing it.",
  },
  metrics: {
    kind: "url",
    schemes: ["sqlite", "influxdb"],
    description:
      "Where metrics are kept: sqlite:PATH for one controller, or influxdb:http://HOST:PORT. Without it none are kept.",
  },
  checkpointInterval: {
    kind: "string",
    default: "MONTH",
    pattern: /^(MONTH|[1-9][0-9]*h)$/,
    description:
      "When the time of clusters and instances is summed up: each MONTH (UTC), or all so many hours, e.g. 24h.",
  },
  apiAddr: {
    kind: "address",
    default: "127.0.0.1:55001",
    description: "Address of the gRPC API, for the master controller and services of the region.",
  },
  notifyAddr: {
    kind: "address",
    default: "127.0.0.1:50001",
    description: "Address of the replication streams, for services of the region and its sites.",
  },
  accessApiAddr: {
    kind: "address",
    description:
      "Address of the access API, where services of cloudlets get certificates and secrets by their access key, as 0.0.0.0:41001. " +
      "Needs --secrets and --public-tls-dir. Default: not served.",
  },
  accessPublicAddr: {
    kind: "string",
    pattern: /^\S+:[0-9]{1,5}$/,
    description: "HOST:PORT by which cloudlets reach the access API, for manifests. Default: --access-api-addr.",
  },
  notifyPublicAddr: {
    kind: "string",
    pattern: /^\S+:[0-9]{1,5}$/,
    description: "HOST:PORT by which cloudlets reach --notify-addr, for manifests. Default: --notify-addr.",
  },
  publicTlsDir: {
    kind: "path",
    description: "Folder with cert.pem, key.pem and ca.pem of the access API's port; read anew when they change.",
  },
  cloudletDmes: {
    kind: "bool",
    default: false,
    description:
      "Serve matching engines that operators run on their cloudlets: sites then see of every app and instance " +
      "of the region what devices are told by. Needs a second, smaller copy of them in memory.",
  },
  accessLegacySignatures: {
    kind: "bool",
    default: false,
    description: "Take signatures of the original's form, which whoever has seen one can use for ever.",
  },
  edgeTurnAddr: {
    kind: "string",
    default: "",
    pattern: /^(\S+:[0-9]{1,5})?$/,
    form: "HOST:PORT",
    description:
      "HOST:PORT at which sites reach the relay for shells (EdgeTurn). Default: none, and output of commands and logs comes through the controller alone.",
  },
  controllerId: {
    kind: "string",
    pattern: /^[\x21-\x7e]{1,128}$/,
    description: "Identity among the region's controllers, the same after a restart. Default: HOST@API-ADDRESS.",
  },
  secrets: {
    kind: "url",
    schemes: ["file"],
    description:
      "Secret store for credentials of cloudlets, under REGION/cloudlets, and of registries, under registry/HOST. Default: none, and credentials of cloudlets are refused.",
  },
  registryFqdn: {
    kind: "string",
    default: "",
    pattern: /^([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?)?$/,
    form: "a host, or a host and port",
    description: "Registry in which images of apps are that name none. Default: none, and apps must name their images.",
  },
  artifactoryFqdn: {
    kind: "string",
    default: "",
    pattern: /^(https?:\/\/\S+\/)?$/,
    form: "a URL that ends in a slash",
    description: "URL under which images of machines are that name none.",
  },
  driverDir: {
    kind: "path",
    description:
      "Folder for files of GPU drivers, which are fetched from --source-hosts. Default: none, and drivers with builds are refused.",
  },
  driverUrl: {
    kind: "string",
    default: "",
    pattern: /^(https?:\/\/\S+)?$/,
    form: "a URL",
    description:
      "URL at which sites reach /driver-files of the admin address, for links to files of drivers. Default: the admin address itself.",
  },
  sourceHosts: {
    kind: "list",
    pattern: /^(https?:\/\/)?[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?$/,
    form: "a host, HOST:PORT or http://HOST:PORT",
    description:
      "Hosts that are asked whether images exist, and from which manifests and configurations are read that apps give by URL. The process needs the permission to reach them. Default: none.",
  },
  imageCheck: {
    kind: "enum",
    values: ["off", "warn", "require"],
    default: "warn",
    description:
      "What becomes of apps whose image is not found: nobody looks, the caller is warned where a host can be asked, or they are refused.",
  },
  tlsDir: {
    kind: "path",
    required: true,
    description: "Folder with cert.pem, key.pem and ca.pem of this controller; read anew when they change.",
  },
  dns: {
    kind: "string",
    default: "localhost:",
    pattern: /^[a-z0-9]+:/,
    description: "Where names of sites are kept: localhost: needs no DNS, as such names always reach this machine.",
  },
  appDnsRoot: {
    kind: "string",
    default: "archipelago.localhost",
    pattern: /^[a-z0-9][a-z0-9.-]{0,39}$/,
    description: "Root of the names of sites and instances, at most 40 characters.",
  },
  platformOrg: {
    kind: "string",
    default: "edgecloudorg",
    description: "Organization that owns what the platform itself makes; the master controller's option of this name.",
  },
  createCloudletTimeout: {
    kind: "duration",
    description:
      "Longest wait of CreateCloudlet for the site's resource manager. Default: the setting create_cloudlet_timeout.",
  },
  updateCloudletTimeout: {
    kind: "duration",
    description:
      "Longest wait of UpdateCloudlet for the site, when it has to begin anew with other variables. Default: the setting update_cloudlet_timeout.",
  },
  createClusterInstTimeout: {
    kind: "duration",
    description: "Longest wait of CreateClusterInst for the site. Default: the setting create_cluster_inst_timeout.",
  },
  deleteClusterInstTimeout: {
    kind: "duration",
    description: "Longest wait of DeleteClusterInst for the site. Default: the setting delete_cluster_inst_timeout.",
  },
  createAppInstTimeout: {
    kind: "duration",
    description: "Longest wait of CreateAppInst for the site. Default: the setting create_app_inst_timeout.",
  },
  deleteAppInstTimeout: {
    kind: "duration",
    description: "Longest wait of DeleteAppInst for the site. Default: the setting delete_app_inst_timeout.",
  },
  storeSlow: {
    kind: "duration",
    default: "1s",
    minMs: 1,
    description: "Time of a small write above which the store counts as slow, in readiness and logs.",
  },
  streamGrace: {
    kind: "duration",
    default: "10s",
    description: "Time in which a site whose stream broke may come back before it counts as offline.",
  },
  siteGrace: {
    kind: "duration",
    default: "60s",
    description: "Time in which sites have to connect after a controller was started or died.",
  },
});

/** Values of the controller's options. */
export type ControllerConfig = ConfigOf<typeof controllerOptions>;
