import {
  Add,
  AvgPool,
  backend_util,
  FusedBatchNorm,
  MaxPool,
  Mean,
  PadV2,
  Relu,
  Relu6,
  Softmax,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { Elementwise } from '../elementwise.js';
import { ELEMENTWISE } from '../elementwise_key.js';
import { Conv2d } from '../index.js';
import type { DepthwiseBackend } from './backend.js';
import { paddedShape, writePadded } from './padding.js';

// What stands between convolutions. tfjs's CPU backend computes coordinates for every element, or calls a function for
// it, which in a MobileNet takes ten times as long as all our convolutions. The common cases are native loops, or plain
// ones, here; undefined means that a case isn't one of them and stays tfjs's.

const native: Elementwise = Conv2d[ELEMENTWISE];

type Inputs = Record<string, TensorInfo>;
type Pointwise = (backend: DepthwiseBackend, inputs: Inputs, attrs: never) => TensorInfo | undefined;

const isFloat = (...tensors: (TensorInfo | undefined)[]): boolean => tensors.every((t) => !t || t.dtype === 'float32');

/** Two tensors of one shape, or a value for each channel on NHWC. */
function add(backend: DepthwiseBackend, inputs: Inputs): TensorInfo | undefined {
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
  if (!isFloat(a, b)) return undefined;
  const perChannel = b.shape.length === 1 && a.shape.length > 0 && b.shape[0] === a.shape.at(-1);
  if (!perChannel && !util.arraysEqual(a.shape, b.shape)) return undefined;
  const x = backend.float32(a);
  const out = backend.newArray(x.length);
  native.add(x, backend.float32(b), out);
  return backend.float32Tensor(a.shape, out);
}

const clamp =
  (lo: number, hi: number) =>
  (backend: DepthwiseBackend, { x }: Inputs): TensorInfo | undefined => {
    if (!isFloat(x)) return undefined;
    const values = backend.float32(x!);
    const out = backend.newArray(values.length);
    native.clamp(values, lo, hi, out);
    return backend.float32Tensor(x!.shape, out);
  };

/** Statistics for each channel of NHWC. */
function batchNorm(
  backend: DepthwiseBackend,
  inputs: Inputs,
  { varianceEpsilon = 0.001 }: { varianceEpsilon?: number },
): TensorInfo | undefined {
  const { x, mean, variance, scale, offset } = inputs as Inputs & Record<'x' | 'mean' | 'variance', TensorInfo>;
  const channels = x.shape.at(-1)!;
  const perChannel = (t: TensorInfo | undefined): boolean => !t || (t.shape.length === 1 && t.shape[0] === channels);
  if (!isFloat(x, mean, variance, scale, offset) || ![mean, variance, scale, offset].every(perChannel)) {
    return undefined;
  }
  const values = backend.float32(x);
  const offsets = offset ? backend.float32(offset) : new Float32Array(channels);
  const scales = scale && backend.float32(scale);
  const factors = backend.float32(variance).map((v, c) => (scales?.[c] ?? 1) / Math.sqrt(v + varianceEpsilon));
  const out = backend.newArray(values.length);
  native.normalize(values, backend.float32(mean), factors, offsets, out);
  return backend.float32Tensor(x.shape, out);
}

function pad(
  backend: DepthwiseBackend,
  { x }: Inputs,
  { paddings, constantValue }: { paddings: [number, number][]; constantValue: number },
): TensorInfo | undefined {
  if (!isFloat(x) || paddings.flat().some((p) => p < 0)) return undefined;
  const { shape } = x!;
  if (constantValue === 0 && shape.length === 4) {
    const later = backend.paddedLater(x!, paddings);
    if (later) return later;
  }
  const outShape = paddedShape(shape, paddings);
  const out = backend.newArray(util.sizeFromShape(outShape));
  writePadded({ values: backend.float32(x!), shape, paddings }, constantValue, out);
  return backend.float32Tensor(outShape, out);
}

// One window over all of each image, which is a column of pixels.
const overAll = (batch: number, inHeight: number, channels: number) => ({
  ...{ batch, inHeight, inWidth: 1, channels, outHeight: 1, outWidth: 1 },
  ...{ filterHeight: inHeight, filterWidth: 1, strideHeight: 1, strideWidth: 1, top: 0, left: 0 },
});

/** Over neighbouring dimensions, as those of an image are. */
function mean(
  backend: DepthwiseBackend,
  { x }: Inputs,
  { axis, keepDims }: { axis: number | number[]; keepDims: boolean },
): TensorInfo | undefined {
  const { shape } = x!;
  const axes = util.parseAxisParam(axis, shape).sort((a, b) => a - b);
  if (!isFloat(x) || axes.length === 0 || axes.at(-1)! - axes[0]! !== axes.length - 1) return undefined;
  const outer = util.sizeFromShape(shape.slice(0, axes[0]));
  const count = util.sizeFromShape(shape.slice(axes[0], axes.at(-1)! + 1));
  const inner = util.sizeFromShape(shape.slice(axes.at(-1)! + 1));
  const values = backend.float32(x!);
  const out = backend.newArray(outer * inner);
  if (count * inner > 0 && outer > 0) native.averagePool(overAll(outer, count, inner), values, out);
  else out.fill(Number.NaN);
  const outShape = shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));
  return backend.float32Tensor(outShape, out);
}

interface PoolAttrs {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: Parameters<typeof backend_util.computePool2DInfo>[4];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const pool =
  (kind: 'maxPool' | 'averagePool') =>
  (backend: DepthwiseBackend, { x }: Inputs, { filterSize, strides, pad, dimRoundingMode }: PoolAttrs) => {
    if (!isFloat(x) || !backend_util.eitherStridesOrDilationsAreOne(strides, 1)) return undefined;
    const shape = x!.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const { outHeight, outWidth, outChannels: channels, inHeight, inWidth, padInfo } = info;
    // tfjs shares the input's memory where a pool changes nothing.
    if (info.filterHeight * info.filterWidth === 1 || util.sizeFromShape(info.outShape) <= 0) return undefined;
    const { top, left } = padInfo;
    const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
    // Rounding up can leave windows with nothing but padding.
    const meetsImage = (out: number, stride: number, before: number, filter: number, size: number): boolean =>
      before >= 0 && before < filter && (out - 1) * stride - before < size;
    if (!meetsImage(outHeight, strideHeight, top, filterHeight, inHeight)) return undefined;
    if (!meetsImage(outWidth, strideWidth, left, filterWidth, inWidth)) return undefined;
    const pooling = {
      ...{ batch: shape[0], inHeight, inWidth, channels, outHeight, outWidth },
      ...{ filterHeight, filterWidth, strideHeight, strideWidth, top, left },
    };
    if (![...Object.values(pooling)].every(Number.isInteger)) return undefined;
    const out = backend.newArray(util.sizeFromShape(info.outShape));
    native[kind](pooling, backend.float32(x!), out);
    return backend.float32Tensor(info.outShape, out);
  };

/** Over the last dimension, the only one that tfjs takes. */
function softmax(backend: DepthwiseBackend, { logits }: Inputs, { dim }: { dim: number }): TensorInfo | undefined {
  const { shape } = logits!;
  const classes = shape.at(-1);
  if (!isFloat(logits) || !classes || (dim !== -1 && dim !== shape.length - 1)) return undefined;
  const values = backend.float32(logits!);
  const out = backend.newArray(values.length);
  for (let row = 0; row < values.length; row += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, values[row + i]!);
    let sum = 0;
    for (let i = 0; i < classes; i++) {
      out[row + i] = Math.exp(values[row + i]! - largest);
      sum += out[row + i]!;
    }
    for (let i = 0; i < classes; i++) out[row + i]! /= sum;
  }
  return backend.float32Tensor(shape, out);
}

/** By tfjs's name of the kernel. */
export const POINTWISE: Readonly<Record<string, Pointwise>> = {
  [Add]: add,
  [Relu]: clamp(0, Number.POSITIVE_INFINITY),
  [Relu6]: clamp(0, 6),
  [FusedBatchNorm]: batchNorm,
  [PadV2]: pad,
  [Mean]: mean,
  [MaxPool]: pool('maxPool'),
  [AvgPool]: pool('averagePool'),
  [Softmax]: softmax,
};
