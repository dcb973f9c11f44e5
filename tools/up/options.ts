import { type ConfigOf, defineOptions } from "../../shared/service/mod.ts";

/** Options of `up`. */
export const upOptions = defineOptions({
  data: {
    kind: "path",
    default: "data",
    description: "Folder for all state: databases, certificates, logs, what runs at the sites.",
  },
  portBase: {
    kind: "int",
    default: 9900,
    min: 1024,
    max: 65_000,
    description: "First port: +0 REST, +1 PostgreSQL, then ten a region from +10 (gRPC, notify, DME gRPC, DME REST).",
  },
  regions: {
    kind: "list",
    default: ["local"],
    pattern: /^\w+$/,
    form: "letters, digits and _",
    description: "Regions to run, each a controller and a DME.",
  },
  demo: {
    kind: "bool",
    default: false,
    description: "Create a small world to try, in the first region: a dozen sites, three apps, instances.",
  },
  check: {
    kind: "bool",
    default: false,
    description:
      "With --demo: run the main job once in a fresh folder on free ports, say what was done, stop everything, exit 0 or 1.",
  },
  store: {
    kind: "url",
    schemes: ["sqlite", "etcd"],
    description:
      "Store of the region's objects in place of SQLite under the data folder: etcd:http://HOST:PORT,… (one region only).",
  },
  metrics: {
    kind: "url",
    schemes: ["sqlite", "influxdb"],
    description:
      "Store of the region's metrics in place of SQLite under the data folder: influxdb:http://HOST:PORT (one region only).",
  },
  database: {
    kind: "url",
    schemes: ["postgres", "postgresql"],
    secret: true,
    description: "PostgreSQL for the accounts in place of the embedded one: postgres://USER:PASSWORD@HOST:PORT/NAME.",
  },
  secrets: {
    kind: "url",
    schemes: ["file"],
    description: "Secret store in place of the sealed folder under the data folder: file:PATH.",
  },
  moduleRoots: {
    kind: "list",
    default: ["."],
    description: "Folders from which the sites may take modules of apps, besides those of the demo.",
  },
  dockerSocket: {
    kind: "path",
    default: "/var/run/docker.sock",
    description: "Socket of the Docker Engine that sites of type docker may use.",
  },
  superuser: {
    kind: "string",
    default: "mexadmin",
    pattern: /^[A-Za-z0-9_.-]{1,59}$/,
    form: "1 to 59 letters, digits and _ . -",
    description: "Name of the administrator.",
  },
  grace: { kind: "duration", default: "10s", description: "How long each service may take to end before it is cut." },
  logLevel: {
    kind: "enum",
    values: ["debug", "info", "warn", "error"],
    default: "info",
    description: "The least grave log lines that services write.",
  },
  help: { kind: "bool", default: false, description: "Print this page and end." },
});

/** Values of the options. */
export type UpConfig = ConfigOf<typeof upOptions>;
