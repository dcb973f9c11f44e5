import { isFieldName, isFieldValue } from "./field_syntax.ts";
import type { HeaderField, HeaderList } from "./static_table.ts";

/**
 * A header list that will be sent many times: checked once, and encoded once a connection rather than once a message
 * (its fields go into the dynamic table).
 *
 * @example
 * ```ts
 * const OK = new PreparedHeaders([[":status", "200"], ["content-type", "application/grpc"]]);
 * ```
 */
export class PreparedHeaders {
  /** The fields, frozen. */
  readonly list: HeaderList;

  /** @throws {TypeError} when a name or value may not be sent. */
  constructor(list: HeaderList) {
    checkSendable(list);
    this.list = Object.freeze(list.map(([name, value]): HeaderField => Object.freeze([name, value] as const)));
  }
}

/**
 * Checks fields of ours before they are sent.
 *
 * @throws {TypeError} when a name is not in lower case or holds other than token characters, or a value holds a character
 * that RFC 9113, section 8.2.1 forbids. The value itself is not in the message: it may be secret.
 */
export function checkSendable(list: HeaderList): void {
  for (const [name, value] of list) {
    if (!isFieldName(name.charCodeAt(0) === 0x3a ? name.slice(1) : name)) {
      throw new TypeError(`Header field name must be a token in lower case, not ${JSON.stringify(name)}`);
    }
    if (!isFieldValue(value)) {
      throw new TypeError(`Value of header field ${name} holds a character that is not allowed`);
    }
  }
}
