import { decodeKey } from "../keys.ts";
import type { StoreEntry } from "../store.ts";

/** A key as etcd's client hands it over: 64-bit numbers as text. */
export interface EtcdKeyValue {
  key: Uint8Array;
  value: Uint8Array;
  create_revision: string;
  mod_revision: string;
  version: string;
  lease: string;
}

/** etcd's form of a key as the interface has it. */
export function toEntry(kv: EtcdKeyValue): StoreEntry {
  return {
    key: decodeKey(kv.key),
    // A plain array: the client's is a Buffer over a message many times its size.
    value: new Uint8Array(kv.value),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    ...(kv.lease === "0" ? {} : { lease: kv.lease }),
  };
}
