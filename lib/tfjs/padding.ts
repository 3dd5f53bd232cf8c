import { util } from '@tensorflow/tfjs-core';

export type Paddings = readonly (readonly [number, number])[];

/** Values of a shape between others that aren't there yet. */
export interface Padded {
  values: Float32Array;
  shape: readonly number[];
  paddings: Paddings;
}

export function paddedShape(shape: readonly number[], paddings: Paddings): number[] {
  return shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]);
}

/** Writes every element of `out`, which has the padded shape: the values, and the constant around them. */
export function writePadded({ values, shape, paddings }: Padded, constant: number, out: Float32Array): void {
  if (shape.length === 0) {
    out.set(values);
    return;
  }
  // From `last` on the values are one piece in both arrays.
  let last = shape.length - 1;
  while (last > 0 && paddings[last]![0] === 0 && paddings[last]![1] === 0) last--;
  const piece = util.sizeFromShape(shape.slice(last));
  const strides = util.computeStrides(paddedShape(shape, paddings)).concat(1);
  let read = 0;
  let written = 0;
  const copy = (dim: number, to: number): void => {
    const start = to + paddings[dim]![0] * strides[dim]!;
    if (dim === last) {
      out.fill(constant, written, start);
      out.set(values.subarray(read, read + piece), start);
      read += piece;
      written = start + piece;
      return;
    }
    for (let i = 0; i < shape[dim]!; i++) copy(dim + 1, start + i * strides[dim]!);
  };
  if (piece > 0) copy(0, 0);
  out.fill(constant, written);
}
