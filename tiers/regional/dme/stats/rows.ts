/** Numbers of rows that come and go, in arrays that grow: counting in a row allocates nothing. */
export class CounterRows {
  readonly #columns: number;
  readonly #max: number;
  readonly #free: number[] = [];
  #values: Float64Array;
  #used = 0;

  /** @param columns numbers in a row. @param max most rows */
  constructor(columns: number, max: number) {
    this.#columns = columns;
    this.#max = max;
    this.#values = new Float64Array(columns * Math.min(max, 64));
  }

  /** A new row of zeros; undefined when there are too many. */
  take(): number | undefined {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#used === this.#max) return undefined;
    const row = this.#used++;
    if (this.#used * this.#columns > this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    return row;
  }

  /** Gives a row back. */
  release(row: number): void {
    this.#values.fill(0, row * this.#columns, (row + 1) * this.#columns);
    this.#free.push(row);
  }

  add(row: number, column: number, by = 1): void {
    this.#values[row * this.#columns + column]! += by;
  }

  set(row: number, column: number, value: number): void {
    this.#values[row * this.#columns + column] = value;
  }

  get(row: number, column: number): number {
    return this.#values[row * this.#columns + column]!;
  }
}
