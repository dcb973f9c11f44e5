import {
  type ApiRules,
  findKind,
  type MethodDefinition,
  type ObjectKind,
  regionServices,
} from "../../../../shared/schema/mod.ts";

/** A call of the region's API that is offered under `auth/ctrl/`. */
export interface RegionMethod {
  readonly method: MethodDefinition;
  readonly rules: ApiRules;
  /** Key of the request in the wrapper: the message's name in small letters. */
  readonly wrapperKey: string;
  /** Kind of object that is shown or changed; undefined for requests of other messages. */
  readonly kind?: ObjectKind;
  /** Streams all objects of the kind that match the request. */
  readonly isShow: boolean;
  /** Which fields change is told by the keys that the caller sent. */
  readonly isUpdate: boolean;
}

/** The calls by name, from the schema alone. */
export const regionMethods: ReadonlyMap<string, RegionMethod> = new Map(
  regionServices.flatMap((service) => Object.values(service.methods))
    .filter((method) => method.api !== undefined && !method.api.internal && !method.requestStream)
    .map((method) => [method.name, describe(method, method.api!)]),
);

function describe(method: MethodDefinition, rules: ApiRules): RegionMethod {
  const { typeName, fields } = method.input.descriptor;
  return {
    method,
    rules,
    wrapperKey: typeName.toLowerCase(),
    kind: findKind(typeName),
    isShow: rules.action === "VIEW" && method.responseStream && method.input === method.output,
    isUpdate: rules.action === "MANAGE" && method.name.startsWith("Update") &&
      fields.some((each) => each.rules.modifier),
  };
}
