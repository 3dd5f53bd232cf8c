/** How many requests may be in work at once: one more is refused at once rather than queued without end. */
export class Slots {
  #free: number;

  constructor(readonly size: number) {
    this.#free = size;
  }

  get used(): number {
    return this.size - this.#free;
  }

  /** Runs `work` in a slot, or returns undefined where none is free. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#free === 0) return undefined;
    this.#free--;
    try {
      return await work();
    } finally {
      this.#free++;
    }
  }
}
