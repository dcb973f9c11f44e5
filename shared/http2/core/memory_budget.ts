/** Octets held by all connections of a server, against a limit. */
export class MemoryBudget {
  /** The limit, in octets. */
  readonly limitBytes: number;
  /** What is held now, in octets. */
  usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Nothing more should be taken in. */
  get exhausted(): boolean {
    return this.usedBytes >= this.limitBytes;
  }
}
