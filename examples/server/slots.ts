/** How many requests may be in work at once: one more is refused at once rather than queued without end. */
export class Slots {
  #used = 0;

  constructor(readonly size: number) {}

  get used(): number {
    return this.#used;
  }

  /** Takes a slot and returns what gives it back, once however often it is called; undefined where none is free. */
  take(): (() => void) | undefined {
    if (this.#used === this.size) return undefined;
    this.#used++;
    let isTaken = true;
    return () => {
      if (isTaken) this.#used--;
      isTaken = false;
    };
  }
}
