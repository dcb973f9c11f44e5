import type { MessageType } from "./message_type.ts";

/** Rules of one call of a region API (`ApiOptions` of options.proto, where each is explained). */
export interface ApiRules {
  readonly resource: string;
  readonly action: "VIEW" | "MANAGE";
  readonly org: string;
  readonly open: boolean;
  readonly requiresOrg: boolean;
  readonly cli: string;
  readonly requiredArgs: readonly string[];
  readonly internal: boolean;
  readonly eachController: boolean;
}

/** One call of a service. */
export interface MethodDefinition<I = object, O = object> {
  /** Proto name, e.g. `CreateApp`. */
  readonly name: string;
  /** Path of the gRPC call, e.g. `/archipelago.AppApi/CreateApp`. */
  readonly path: string;
  readonly doc: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly input: MessageType<I>;
  readonly output: MessageType<O>;
  /** Present for calls that the master controller offers or knows of. */
  readonly api?: ApiRules;
}

/** A service; its methods are found under their name with a small first letter. */
export interface ServiceDefinition {
  /** Full proto name, e.g. `archipelago.AppApi`. */
  readonly name: string;
  readonly doc: string;
  readonly methods: Readonly<Record<string, MethodDefinition>>;
}
