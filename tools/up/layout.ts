/** Version of the data folder's layout; a folder of another version is left alone. */
export const DATA_VERSION = 1;

/** Names inside the data folder. */
export interface Layout {
  readonly root: string;
  readonly version: string;
  readonly lock: string;
  /** Processes that were started, for a successor to end what it finds. */
  readonly processes: string;
  readonly info: string;
  readonly ca: string;
  readonly adminPassword: string;
  readonly demoUsers: string;
  readonly secrets: string;
  readonly secretsKey: string;
  readonly postgres: string;
  /** File with the password of the accounts' database, readable by its owner only. */
  readonly databasePassword: string;
  /** Folder of one process: `tls/`, `public-tls/`, `data/` and its log. */
  run(service: string): string;
  /** Folder of a region's store. */
  region(name: string): string;
}

/** The layout of a data folder; `root` is absolute. */
export function layoutOf(root: string): Layout {
  return {
    root,
    version: `${root}/version.json`,
    lock: `${root}/up.lock`,
    processes: `${root}/processes.json`,
    info: `${root}/up.json`,
    ca: `${root}/ca.pem`,
    adminPassword: `${root}/admin-password`,
    demoUsers: `${root}/demo-users.json`,
    secrets: `${root}/secrets`,
    secretsKey: `${root}/secrets.kek`,
    postgres: `${root}/postgres`,
    databasePassword: `${root}/database-password`,
    run: (service) => `${root}/run/${service}`,
    region: (name) => `${root}/regions/${name}`,
  };
}

/** Name of a site's process and folder: unique, and free of what paths and permission lists cannot hold. */
export function siteName(region: string, organization: string, name: string): string {
  return `crm-${[region, organization, name].map((part) => encodeURIComponent(part).replaceAll("'", "%27")).join("-")}`;
}
