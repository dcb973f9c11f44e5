/**
 * JSON of messages.
 * @module
 */
export { decimalNumber, parseDecimal } from "./decimal.ts";
export { durationText, parseDuration } from "./duration.ts";
export { fieldOfKey, fromJson } from "./from_json.ts";
export {
  isJsonObject,
  type Issue,
  issueText,
  JsonError,
  type JsonStyle,
  type JsonValue,
  shownValue,
} from "./json_value.ts";
export { type Moment, momentOf, momentText, parseMoment } from "./timestamp.ts";
export { isZero, redact, toJson } from "./to_json.ts";
