import type { NeedRule, OwnerType, ReplicateRule, Writer } from "./descriptor.ts";
import { fromJson, JsonError, toJson } from "./json/mod.ts";
import type { MessageType } from "./message_type.ts";
import { getPath } from "./path.ts";

/** Everything generic about one kind of region object. */
export interface ObjectKind<T = object, K = object> {
  /** Name of the kind, e.g. `AppInst`. */
  readonly kind: string;
  readonly message: MessageType<T>;
  readonly keyMessage: MessageType<K>;
  /** Position in the dependency order: what others refer to comes first. */
  readonly order: number;
  /** Word for people, e.g. `app instance`. */
  readonly noun: string;
  /** Group of the command line, e.g. `appinst`; empty: none. */
  readonly cli: string;
  /** Kept in the region store; otherwise in caches only. */
  readonly stored: boolean;
  readonly ownerType: OwnerType;
  /** Source of truth. */
  readonly source: Writer;
  readonly replicate: readonly ReplicateRule[];
  readonly needs: readonly NeedRule[];
  /** Organization that owns an object; empty: the platform. */
  owner(object: T): string;
  key(object: T): K;
  /** Canonical JSON of a key: declared order, empty parts left out, no spaces. */
  keyString(key: K): string;
  /** The key of a key string. Throws JsonError. */
  parseKey(text: string): K;
  /** Key of the region store, e.g. `/v1/AppInst/<keyString>`. */
  storeKey(key: K): string;
  /** What all store keys of the kind begin with. */
  readonly storePrefix: string;
}

/** Makes an object kind. Called by generated code only. */
export function defineKind<T extends object, K extends object>(
  kind: string,
  message: MessageType<T>,
  keyMessage: MessageType<K>,
): ObjectKind<T, K> {
  const rules = message.descriptor.object!;
  const storePrefix = `/v1/${kind}/`;
  const keyString = (key: K) => JSON.stringify(toJson(keyMessage, key, "store"));
  return {
    kind,
    message,
    keyMessage,
    order: rules.order,
    noun: rules.noun,
    cli: rules.cli,
    stored: rules.stored,
    ownerType: rules.ownerType,
    source: rules.source,
    replicate: rules.replicate,
    needs: rules.needs,
    owner: (object) => rules.owner === "" ? "" : String(getPath(object, rules.owner) ?? ""),
    key: rules.flatKey ? flatKey(message, keyMessage) : (object) => getPath(object, rules.keyFields[0]!) as K,
    keyString,
    parseKey: (text) => fromJson(keyMessage, parseText(text), "store"),
    storeKey: (key) => storePrefix + keyString(key),
    storePrefix,
  };
}

/** Takes the fields of an object that together are its key. */
function flatKey<T extends object, K extends object>(message: MessageType<T>, keyMessage: MessageType<K>) {
  const properties = message.descriptor.object!.keyFields.map((name) => message.descriptor.field(name)!.property);
  return (object: T): K => {
    const key = keyMessage.create();
    for (const property of properties) {
      (key as Record<string, unknown>)[property] = (object as Record<string, unknown>)[property];
    }
    return key;
  };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonError([{ path: "", value: JSON.stringify(text.slice(0, 64)), rule: "must be the JSON of a key" }]);
  }
}
