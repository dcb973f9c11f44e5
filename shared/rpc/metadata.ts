/** A metadata value: text, or bytes for keys that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

/** The type of the value under a key, as far as the key is known to the compiler. */
export type ValueOf<K extends string> = string extends K ? MetadataValue
  : K extends `${string}-bin` ? Uint8Array
  : string;

/** Ways to give metadata in calls. */
export type MetadataInit = Metadata | Iterable<readonly [string, MetadataValue]> | Record<string, MetadataValue>;

const KEY = /^[0-9a-z_.-]+$/;
const TEXT = /^[\x20-\x7e]*$/;

function checkedKey(key: string): string {
  const lower = key.toLowerCase();
  if (!KEY.test(lower)) {
    throw new TypeError(`Metadata key ${JSON.stringify(key)} must be letters, digits, "_", "-" or "."`);
  }
  return lower;
}

function checkValue(key: string, value: MetadataValue): void {
  const binary = key.endsWith("-bin");
  if (binary !== (value instanceof Uint8Array)) {
    throw new TypeError(`Metadata value of ${key} must be ${binary ? "bytes" : "text"}`);
  }
  if (typeof value === "string" && !TEXT.test(value)) {
    throw new TypeError(
      `Metadata value of ${key} must be printable ASCII; use a key that ends in "-bin" for anything else`,
    );
  }
}

/** Headers and trailers of a call: an ordered multi-map with lower-case keys; keys that end in `-bin` hold bytes. */
export class Metadata {
  readonly #values = new Map<string, MetadataValue[]>();

  /** @throws {TypeError} on a key or value that cannot travel. */
  constructor(init?: MetadataInit) {
    if (init === undefined) return;
    const pairs = init instanceof Metadata ? init.entries() : Symbol.iterator in init ? init : Object.entries(init);
    for (const [key, value] of pairs) this.append(key, value);
  }

  /** Number of keys. */
  get size(): number {
    return this.#values.size;
  }

  /** First value under the key. */
  get<K extends string>(key: K): ValueOf<K> | undefined {
    return this.#values.get(key.toLowerCase())?.[0] as ValueOf<K> | undefined;
  }

  /** All values under the key, in order. */
  getAll<K extends string>(key: K): ValueOf<K>[] {
    return [...this.#values.get(key.toLowerCase()) ?? []] as ValueOf<K>[];
  }

  /** Whether there is a value under the key. */
  has(key: string): boolean {
    return this.#values.has(key.toLowerCase());
  }

  /** Replaces all values under the key. @throws {TypeError} on a key or value that cannot travel. */
  set<K extends string>(key: K, value: ValueOf<K>): this {
    const lower = checkedKey(key);
    checkValue(lower, value);
    this.#values.set(lower, [value]);
    return this;
  }

  /** Adds a value under the key. @throws {TypeError} on a key or value that cannot travel. */
  append<K extends string>(key: K, value: ValueOf<K>): this {
    const lower = checkedKey(key);
    checkValue(lower, value);
    const values = this.#values.get(lower);
    if (values) values.push(value);
    else this.#values.set(lower, [value]);
    return this;
  }

  /** Removes all values under the key. */
  delete(key: string): boolean {
    return this.#values.delete(key.toLowerCase());
  }

  /** All pairs, one for each value. */
  *entries(): IterableIterator<[string, MetadataValue]> {
    for (const [key, values] of this.#values) {
      for (const value of values) yield [key, value];
    }
  }

  /** Pairs, as {@linkcode entries}. */
  [Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    return this.entries();
  }

  /** A copy that changes on its own. */
  clone(): Metadata {
    return new Metadata(this);
  }

  /** Appends every pair of another. */
  merge(other: Metadata): this {
    for (const [key, value] of other) this.append(key, value);
    return this;
  }
}
