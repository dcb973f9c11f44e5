import { type ConfigOf, defineOptions } from "../../shared/service/mod.ts";

/** Options of `store`. */
export const storeOptions = defineOptions({
  store: {
    kind: "url",
    required: true,
    schemes: ["sqlite", "etcd"],
    description:
      "Store of a region's objects: sqlite:PATH (while no controller runs on it) or etcd:https://HOST:PORT,…",
  },
  storeTlsDir: {
    kind: "path",
    description: "Folder with ca.pem and, where etcd asks for it, cert.pem and key.pem, for a store reached over TLS.",
  },
  file: { kind: "path", description: "The dump: written by dump, read by restore. Default: standard output or input." },
  help: { kind: "bool", default: false, description: "Print this page and end." },
});

/** Values of the options. */
export type StoreConfig = ConfigOf<typeof storeOptions>;
