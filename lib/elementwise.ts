import { native } from './native.js';

const POOLING_FIELDS = [
  'batch',
  'inHeight',
  'inWidth',
  'channels',
  'outHeight',
  'outWidth',
  'filterHeight',
  'filterWidth',
  'strideHeight',
  'strideWidth',
  'top',
  'left',
] as const;

/** Windows over images in NHWC, each of which meets the image. */
export type Pooling = Readonly<Record<(typeof POOLING_FIELDS)[number], number>>;

/** What stands between the convolutions of a network. Trusts its caller: the addon checks lengths, nothing is explained. */
export interface Elementwise {
  /** out = x, at least `lo` and at most `hi`; NaN stays. */
  clamp(x: Float32Array, lo: number, hi: number, out: Float32Array): void;
  /** out = a + b, with `b` repeated. */
  add(a: Float32Array, b: Float32Array, out: Float32Array): void;
  /** out = (x - mean) * factor + offset, with the last three repeated. */
  normalize(x: Float32Array, mean: Float32Array, factor: Float32Array, offset: Float32Array, out: Float32Array): void;
  /** The largest value of each window. */
  maxPool(pooling: Pooling, x: Float32Array, out: Float32Array): void;
  /** The mean of each window without its padding. */
  averagePool(pooling: Pooling, x: Float32Array, out: Float32Array): void;
}

const encode = (pooling: Pooling): Float64Array => Float64Array.from(POOLING_FIELDS, (field) => pooling[field]);

export const elementwise: Elementwise = {
  clamp: native.clamp,
  add: native.add,
  normalize: native.normalize,
  maxPool: (pooling, x, out) => native.maxPool(encode(pooling), x, out),
  averagePool: (pooling, x, out) => native.averagePool(encode(pooling), x, out),
};
