/**
 * The schema: every region object and every API, from the .proto files, and the generic machinery that reads it.
 * @module
 */
export * from "./generated/archipelago/mod.ts";
export * as dme from "./generated/dme/mod.ts";
export * as queryqos from "./generated/queryqos/mod.ts";
export * from "./generated/kinds.ts";
export { fileDescriptors } from "./generated/file_descriptors.ts";
export { messages, services } from "./generated/registry.ts";
export { equal, isBlank, isEmpty, matcher, matches } from "./compare.ts";
export { isKeyField } from "./descriptor.ts";
export type {
  Audience,
  FieldDescriptor,
  FieldRules,
  MessageDescriptor,
  NeedRule,
  ObjectRules,
  OwnerType,
  ReplicateRule,
  ScalarType,
  Writer,
} from "./descriptor.ts";
export {
  type EnumDescriptor,
  enumDescriptor,
  enumName,
  type EnumObject,
  enumText,
  type EnumValue,
} from "./enum_type.ts";
export {
  decimalNumber,
  durationText,
  fieldOfKey,
  fromJson,
  isJsonObject,
  type Issue,
  issueText,
  JsonError,
  type JsonStyle,
  type JsonValue,
  type Moment,
  momentOf,
  momentText,
  parseDecimal,
  parseDuration,
  parseMoment,
  redact,
  shownValue,
  toJson,
} from "./json/mod.ts";
export type { FileDescriptor } from "./file_descriptor.ts";
export { findKind, type KindMap, kindOf } from "./kinds.ts";
export { differences, type FieldDifference } from "./difference.ts";
export { applyMask, chainOf, maskFromJson, type MaskResult, type Refusal } from "./mask.ts";
export type { DeepPartial, MessageType } from "./message_type.ts";
export type { ObjectKind } from "./object_kind.ts";
export { siteView, siteViewName } from "./site_view.ts";
export { getPath, setPath, valuesAt } from "./path.ts";
export { regionServices } from "./region_services.ts";
export { continueKey, continueToken, MAX_PAGE_OBJECTS, RequestOption } from "./request_options.ts";
export { clearUnset, requiredIssues } from "./rules.ts";
export type { ApiRules, MethodDefinition, ServiceDefinition } from "./service.ts";
export { DecodeError } from "./wire/mod.ts";
export { EXPLAIN_QUESTION, LATENCY_QUESTION } from "./questions.ts";
