/** Characters of a field name: tokens of RFC 9110 in lower case. */
const NAME_CHARACTERS = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") NAME_CHARACTERS[c.charCodeAt(0)] = 1;

/** Whether `name` is a field name in lower case. */
export function isFieldName(name: string): boolean {
  if (name.length === 0) return false;
  for (let at = 0; at < name.length; at++) {
    if (NAME_CHARACTERS[name.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

/** Whether `value` may be a field value (RFC 9113, section 8.2.1): octets but NUL, CR and LF, no white space at its ends. */
export function isFieldValue(value: string): boolean {
  const length = value.length;
  if (length === 0) return true;
  for (let at = 0; at < length; at++) {
    const c = value.charCodeAt(at);
    if (c === 0 || c === 0x0a || c === 0x0d || c > 0xff) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1));
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}
