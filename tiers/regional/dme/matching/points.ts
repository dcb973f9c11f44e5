/** Numbers of a point: x, y, z, id. */
const STRIDE = 4;

/** Numbered points outside a set, while part of it is built anew. */
export class Points {
  readonly #numbers: number[] = [];
  /** Points in the order in which the splits have put them. */
  #order: Int32Array = new Int32Array(0);

  get length(): number {
    return this.#numbers.length / STRIDE;
  }

  add(id: number, x: number, y: number, z: number): void {
    this.#numbers.push(x, y, z, id);
  }

  /** Nothing is added any more. */
  close(): void {
    this.#order = Int32Array.from({ length: this.length }, (_, index) => index);
  }

  /** Tells the points of a range of the order. */
  forEach(low: number, high: number, visit: (id: number, x: number, y: number, z: number) => void): void {
    const n = this.#numbers;
    for (let position = low; position < high; position++) {
      const at = this.#order[position]! * STRIDE;
      visit(n[at + 3]!, n[at]!, n[at + 1]!, n[at + 2]!);
    }
  }

  /** The axis along which a range is widest, and its smallest and largest coordinate there. */
  widest(low: number, high: number): { axis: number; min: number; max: number } {
    let widest = { axis: 0, min: 0, max: 0 };
    for (let axis = 0; axis < 3; axis++) {
      let min = Infinity;
      let max = -Infinity;
      for (let position = low; position < high; position++) {
        const value = this.#value(position, axis);
        if (value < min) min = value;
        if (value > max) max = value;
      }
      if (axis === 0 || max - min > widest.max - widest.min) widest = { axis, min, max };
    }
    return widest;
  }

  /**
   * Orders a range so that what lies below a coordinate comes first, about a half.
   * @returns That coordinate, and where the second part begins: neither is empty.
   */
  halve(low: number, high: number, { axis, min }: { axis: number; min: number }): { middle: number; split: number } {
    let split = this.#median(low, high, axis);
    if (split === min) split = this.#above(low, high, axis, min);
    return { split, middle: this.#partition(low, high, axis, split) };
  }

  #value(position: number, axis: number): number {
    return this.#numbers[this.#order[position]! * STRIDE + axis]!;
  }

  /** The smallest coordinate above another. */
  #above(low: number, high: number, axis: number, than: number): number {
    let least = Infinity;
    for (let position = low; position < high; position++) {
      const value = this.#value(position, axis);
      if (value > than && value < least) least = value;
    }
    return least;
  }

  /** Puts what lies below `split` first. */
  #partition(low: number, high: number, axis: number, split: number): number {
    let end = low;
    for (let position = low; position < high; position++) {
      if (this.#value(position, axis) < split) this.#swap(position, end++);
    }
    return end;
  }

  /** Hoare's quickselect. */
  #median(low: number, high: number, axis: number): number {
    const wanted = (low + high) >>> 1;
    let last = high - 1;
    while (low < last) {
      const pivot = this.#value((low + last) >>> 1, axis);
      let i = low - 1;
      let j = last + 1;
      while (true) {
        do i++; while (this.#value(i, axis) < pivot);
        do j--; while (this.#value(j, axis) > pivot);
        if (i >= j) break;
        this.#swap(i, j);
      }
      if (wanted <= j) last = j;
      else low = j + 1;
    }
    return this.#value(wanted, axis);
  }

  #swap(a: number, b: number): void {
    const held = this.#order[a]!;
    this.#order[a] = this.#order[b]!;
    this.#order[b] = held;
  }
}
