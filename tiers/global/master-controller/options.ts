import { type ConfigOf, defineOptions } from "../../../shared/service/mod.ts";

/** Options of the master controller. */
export const masterControllerOptions = defineOptions({
  addr: {
    kind: "address",
    default: "127.0.0.1:9900",
    description: "Address of the REST API; TLS when --public-tls-dir is given.",
  },
  database: {
    kind: "url",
    required: true,
    secret: true,
    schemes: ["postgres", "postgresql"],
    description:
      "PostgreSQL for accounts: postgres://USER@HOST:PORT/NAME. Several hosts, divided by commas, for a replicated one.",
  },
  databasePasswordFile: {
    kind: "path",
    description: "File with the database's password, so that it need not be in the URL.",
  },
  databaseCaFile: {
    kind: "path",
    description: "CA (PEM) that the database's certificate must come from; turns TLS on.",
  },
  secrets: {
    kind: "string",
    required: true,
    description: "Secret store with the keys that sign tokens: file:PATH.",
  },
  tlsDir: {
    kind: "path",
    required: true,
    description: "Folder with cert.pem, key.pem and ca.pem that name this service global/service/master-controller.",
  },
  publicTlsDir: {
    kind: "path",
    description:
      "Folder with cert.pem, key.pem and ca.pem for the REST API. Without it the API is plain HTTP on loopback.",
  },
  superuser: {
    kind: "string",
    default: "mexadmin",
    description: "Name of the administrator that is made at the first start.",
  },
  superuserEmail: {
    kind: "string",
    default: "mexadmin@archipelago.localhost",
    description: "Email address of that administrator.",
  },
  superuserPasswordFile: {
    kind: "path",
    description: "File with that administrator's password; read at the first start only.",
  },
  skipVerifyEmail: {
    kind: "bool",
    default: false,
    description: "Lets accounts log in whose email address was not verified. No verification mails are sent yet.",
  },
  platformOrg: {
    kind: "string",
    default: "edgecloudorg",
    description: "Organization that owns what the platform itself deploys; only administrators may create it.",
  },
});

/** Values of these options. */
export type MasterControllerConfig = ConfigOf<typeof masterControllerOptions>;
