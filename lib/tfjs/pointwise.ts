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
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { DepthwiseBackend } from './backend.js';

// What stands between convolutions. tfjs's CPU backend computes coordinates for every element, or calls a function for
// it, which in a MobileNet takes ten times as long as all our convolutions. The common cases are plain loops here;
// undefined means that a case isn't one of them and stays tfjs's.

type Inputs = Record<string, TensorInfo>;
type Pointwise = (backend: DepthwiseBackend, inputs: Inputs, attrs: never) => TensorInfo | undefined;

const isFloat = (...tensors: (TensorInfo | undefined)[]): boolean => tensors.every((t) => !t || t.dtype === 'float32');

/** Two tensors of one shape, or a value for each channel on NHWC. */
function add(backend: DepthwiseBackend, inputs: Inputs): TensorInfo | undefined {
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
  if (!isFloat(a, b)) return undefined;
  const perChannel = b.shape.length === 1 && b.shape[0] === a.shape.at(-1);
  if (!perChannel && !util.arraysEqual(a.shape, b.shape)) return undefined;
  const [x, y] = [backend.float32(a), backend.float32(b)];
  const out = backend.newArray(x.length);
  const width = y.length;
  for (let row = 0; row < x.length; row += width) {
    for (let i = 0; i < width; i++) out[row + i] = x[row + i]! + y[i]!;
  }
  return backend.float32Tensor(a.shape, out);
}

function relu(backend: DepthwiseBackend, { x }: Inputs): TensorInfo | undefined {
  if (!isFloat(x)) return undefined;
  const values = backend.float32(x!);
  const out = backend.newArray(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(values[i]!, 0); // NaN stays
  }
  return backend.float32Tensor(x!.shape, out);
}

function relu6(backend: DepthwiseBackend, { x }: Inputs): TensorInfo | undefined {
  if (!isFloat(x)) return undefined;
  const values = backend.float32(x!);
  const out = backend.newArray(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.min(Math.max(values[i]!, 0), 6);
  }
  return backend.float32Tensor(x!.shape, out);
}

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
  const means = backend.float32(mean);
  const offsets = offset ? backend.float32(offset) : new Float32Array(channels);
  const scales = scale && backend.float32(scale);
  // In double precision, as tfjs's own sum is.
  const factors = Float64Array.from(
    backend.float32(variance),
    (v, c) => (scales?.[c] ?? 1) / Math.sqrt(v + varianceEpsilon),
  );
  const out = backend.newArray(values.length);
  for (let pixel = 0; pixel < values.length; pixel += channels) {
    for (let c = 0; c < channels; c++) out[pixel + c] = (values[pixel + c]! - means[c]!) * factors[c]! + offsets[c]!;
  }
  return backend.float32Tensor(x.shape, out);
}

function pad(
  backend: DepthwiseBackend,
  { x }: Inputs,
  { paddings, constantValue }: { paddings: [number, number][]; constantValue: number },
): TensorInfo | undefined {
  if (!isFloat(x) || paddings.flat().some((p) => p < 0)) return undefined;
  const { shape } = x!;
  const outShape = shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]);
  const values = backend.float32(x!);
  const out = backend.newArray(util.sizeFromShape(outShape));
  // From `last` on the values are one piece in both tensors.
  let last = shape.length - 1;
  while (last > 0 && paddings[last]![0] === 0 && paddings[last]![1] === 0) last--;
  const piece = util.sizeFromShape(shape.slice(last));
  const strides = util.computeStrides(outShape).concat(1);
  let read = 0;
  let written = 0;
  const copy = (dim: number, to: number): void => {
    const start = to + paddings[dim]![0] * strides[dim]!;
    if (dim === last) {
      out.fill(constantValue, written, start);
      out.set(values.subarray(read, read + piece), start);
      read += piece;
      written = start + piece;
      return;
    }
    for (let i = 0; i < shape[dim]!; i++) copy(dim + 1, start + i * strides[dim]!);
  };
  if (shape.length === 0) out.set(values);
  else {
    if (piece > 0) copy(0, 0);
    out.fill(constantValue, written);
  }
  return backend.float32Tensor(outShape, out);
}

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
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    sums.fill(0);
    for (let n = 0; n < count; n++) {
      const row = (o * count + n) * inner;
      for (let i = 0; i < inner; i++) sums[i]! += values[row + i]!;
    }
    for (let i = 0; i < inner; i++) out[o * inner + i] = sums[i]! / count;
  }
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
  (kind: 'max' | 'avg') =>
  (backend: DepthwiseBackend, { x }: Inputs, { filterSize, strides, pad, dimRoundingMode }: PoolAttrs) => {
    if (!isFloat(x) || !backend_util.eitherStridesOrDilationsAreOne(strides, 1)) return undefined;
    const shape = x!.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const { outHeight, outWidth, outChannels: channels, inHeight, inWidth, padInfo } = info;
    // tfjs shares the input's memory where a pool changes nothing.
    if (info.filterHeight * info.filterWidth === 1 || util.sizeFromShape(info.outShape) <= 0) return undefined;
    const values = backend.float32(x!);
    const out = backend.newArray(util.sizeFromShape(info.outShape));
    const best = new Float64Array(channels);
    let to = 0;
    for (let n = 0; n < shape[0]; n++) {
      for (let oy = 0; oy < outHeight; oy++) {
        const top = oy * info.strideHeight - padInfo.top;
        const bottom = Math.min(inHeight, top + info.filterHeight);
        for (let ox = 0; ox < outWidth; ox++, to += channels) {
          const left = ox * info.strideWidth - padInfo.left;
          const right = Math.min(inWidth, left + info.filterWidth);
          let count = 0;
          best.fill(kind === 'max' ? Number.NEGATIVE_INFINITY : 0);
          for (let y = Math.max(0, top); y < bottom; y++) {
            for (let column = Math.max(0, left); column < right; column++, count++) {
              const pixel = ((n * inHeight + y) * inWidth + column) * channels;
              if (kind === 'max') {
                for (let c = 0; c < channels; c++) {
                  if (values[pixel + c]! > best[c]!) best[c] = values[pixel + c]!;
                }
              } else {
                for (let c = 0; c < channels; c++) best[c]! += values[pixel + c]!;
              }
            }
          }
          for (let c = 0; c < channels; c++) out[to + c] = kind === 'max' ? best[c]! : best[c]! / count;
        }
      }
    }
    return backend.float32Tensor(info.outShape, out);
  };

/** By tfjs's name of the kernel. */
export const POINTWISE: Readonly<Record<string, Pointwise>> = {
  [Add]: add,
  [Relu]: relu,
  [Relu6]: relu6,
  [FusedBatchNorm]: batchNorm,
  [PadV2]: pad,
  [Mean]: mean,
  [MaxPool]: pool('max'),
  [AvgPool]: pool('avg'),
};
