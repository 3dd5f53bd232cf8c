/**
 * Arrays whose tensors are gone, for the tensors that come next. A fresh array costs more than the convolution that fills
 * it: the system has to clear and map every page of it, and the garbage collector to unmap them.
 */
export class ArrayPool {
  readonly #byLength = new Map<number, Float32Array[]>();
  #bytes = 0;

  /** @param capacity How many bytes of unused arrays are kept. */
  constructor(private readonly capacity: number) {}

  /** An array with arbitrary contents. */
  take(length: number): Float32Array {
    const array = this.#byLength.get(length)?.pop();
    if (!array) return new Float32Array(length);
    this.#bytes -= array.byteLength;
    return array;
  }

  /** Takes over an array that nobody refers to any more. */
  give(array: Float32Array): void {
    if (this.#bytes + array.byteLength > this.capacity) return;
    this.#bytes += array.byteLength;
    const arrays = this.#byLength.get(array.length);
    if (arrays) arrays.push(array);
    else this.#byLength.set(array.length, [array]);
  }

  clear(): void {
    this.#byLength.clear();
    this.#bytes = 0;
  }
}
