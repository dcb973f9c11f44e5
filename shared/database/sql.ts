/** A value that may stand for a parameter of a statement. Objects and arrays of objects become JSON. */
export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | readonly string[]
  | readonly number[]
  | Json;

/** Wraps a value that is to be stored in a `json` or `jsonb` column. */
export class Json {
  /** The value, which `JSON.stringify` must be able to write. */
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** A piece of SQL with its parameters kept apart from its text, so that no value is ever pasted into a statement. */
export class SqlFragment {
  readonly #texts: readonly string[];
  readonly #values: readonly SqlValue[];

  /** `texts` has one element more than `values`; a value stands between two texts. */
  constructor(texts: readonly string[], values: readonly SqlValue[]) {
    this.#texts = texts;
    this.#values = values;
  }

  /** The texts between the parameters. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** The parameters in the order of their use. */
  get values(): readonly SqlValue[] {
    return this.#values;
  }
}

/** Writes a piece of SQL. A `SqlFragment` in a hole is taken in as SQL; anything else becomes a parameter. */
export function sql(strings: TemplateStringsArray, ...holes: readonly (SqlValue | SqlFragment)[]): SqlFragment {
  const texts: string[] = [strings[0]!];
  const values: SqlValue[] = [];
  holes.forEach((hole, index) => {
    const after = strings[index + 1]!;
    if (hole instanceof SqlFragment) {
      append(texts, values, hole);
      texts[texts.length - 1] += after;
    } else {
      values.push(hole);
      texts.push(after);
    }
  });
  return new SqlFragment(texts, values);
}

/**
 * The name of a table or column, quoted.
 * @throws {RangeError} when the name is empty, longer than PostgreSQL keeps (63 bytes) or has a NUL.
 */
export function identifier(name: string): SqlFragment {
  if (name === "" || name.includes("\0") || new TextEncoder().encode(name).length > MAX_IDENTIFIER_BYTES) {
    throw new RangeError(
      `SQL identifier must have 1 to ${MAX_IDENTIFIER_BYTES} bytes and no NUL, got ${JSON.stringify(name)}`,
    );
  }
  return new SqlFragment([`"${name.replaceAll('"', '""')}"`], []);
}

/** Joins pieces of SQL with a separator, for example ` and ` or `, `. */
export function joinSql(pieces: readonly SqlFragment[], separator: string): SqlFragment {
  const texts: string[] = [""];
  const values: SqlValue[] = [];
  pieces.forEach((piece, index) => {
    if (index > 0) texts[texts.length - 1] += separator;
    append(texts, values, piece);
  });
  return new SqlFragment(texts, values);
}

/** The statement as PostgreSQL takes it: text with `$1`, `$2`, … and the parameters beside it. */
export function renderSql(fragment: SqlFragment): { text: string; values: readonly SqlValue[] } {
  const text = fragment.texts.reduce((built, piece, index) => index === 0 ? piece : `${built}$${index}${piece}`, "");
  return { text, values: fragment.values };
}

/** PostgreSQL cuts identifiers at NAMEDATALEN - 1 bytes; a longer name would silently become another. */
const MAX_IDENTIFIER_BYTES = 63;

function append(texts: string[], values: SqlValue[], piece: SqlFragment): void {
  piece.texts.forEach((text, index) => {
    if (index === 0) {
      texts[texts.length - 1] += text;
    } else {
      values.push(piece.values[index - 1]);
      texts.push(text);
    }
  });
}
