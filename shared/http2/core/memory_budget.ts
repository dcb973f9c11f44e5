/** From this part of the limit on, windows are not opened further and new streams are refused. */
const STRAINED = 0.75;

/** Octets held by all connections of a server, against a limit. */
export class MemoryBudget {
  /** The limit, in octets. */
  readonly limitBytes: number;
  /** What is held now, in octets. */
  usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Nothing new should be begun. */
  get strained(): boolean {
    return this.usedBytes >= this.limitBytes * STRAINED;
  }

  /** Nothing more can be held. */
  get exhausted(): boolean {
    return this.usedBytes >= this.limitBytes;
  }
}
