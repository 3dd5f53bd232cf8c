import type { backend_util } from '@tensorflow/tfjs-core';

/** Padding as tfjs's operators hand it to kernels. */
export type TfPadding = number | 'valid' | 'same' | backend_util.ExplicitPadding;

/** What every convolution kernel of tfjs is told beside its tensors. */
export interface ConvAttrs {
  strides: number | [number, number];
  pad: TfPadding;
  dataFormat: 'NHWC' | 'NCHW';
  dilations: number | [number, number];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

export interface ConvGeometry {
  strides: [number, number];
  dilations: [number, number];
  /** [[top, bottom], [left, right]], such that the ordinary formula, rounding down, gives tfjs's output size. */
  padding: [[number, number], [number, number]];
  /** Height and width of the output. */
  out: [number, number];
}

const ROUND = { floor: Math.floor, round: Math.round, ceil: Math.ceil };

/**
 * tfjs's geometry in terms of explicit padding, or undefined where it isn't a convolution with whole, non-negative
 * padding and a non-empty output, or where tfjs knows no such padding or rounding: those stay tfjs's own.
 *
 * Sizes are tfjs's (`conv_util.computeConv2DInfo`) but for one thing: with a number as padding tfjs takes the filter's
 * and the stride's height for both axes. Here each axis takes its own.
 */
export function geometryOf(
  attrs: ConvAttrs,
  [inHeight, inWidth]: [number, number],
  [filterHeight, filterWidth]: [number, number],
): ConvGeometry | undefined {
  const strides = pair(attrs.strides);
  const dilations = pair(attrs.dilations ?? 1);
  if (![...strides, ...dilations].every((n) => Number.isInteger(n) && n >= 1)) return undefined;
  const round = attrs.dimRoundingMode ? ROUND[attrs.dimRoundingMode] : Math.trunc;
  const { pad, dataFormat } = attrs;
  if (!round || (typeof pad !== 'number' && typeof pad !== 'string' && !Array.isArray(pad))) return undefined;
  const [padHeight, padWidth] =
    typeof pad === 'string' ? [pad, pad] : axesOf(explicitPadding(pad, dataFormat), dataFormat);
  const rows = axisGeometry(inHeight, (filterHeight - 1) * dilations[0] + 1, strides[0], padHeight, round);
  const columns = axisGeometry(inWidth, (filterWidth - 1) * dilations[1] + 1, strides[1], padWidth, round);
  if (!rows || !columns) return undefined;
  return { strides, dilations, padding: [rows.padding, columns.padding], out: [rows.out, columns.out] };
}

/** A number as padding in the form that says the same of each axis. */
export function explicitPadding(
  pad: number | backend_util.ExplicitPadding,
  dataFormat: 'NHWC' | 'NCHW',
): backend_util.ExplicitPadding {
  if (typeof pad !== 'number') return pad;
  const both: [number, number] = [pad, pad];
  const none: [number, number] = [0, 0];
  return dataFormat === 'NHWC' ? [none, both, both, none] : [none, none, both, both];
}

/** Which dimension of an image of rank 4 holds the channels. */
export const channelAxis = (dataFormat: 'NHWC' | 'NCHW'): number => (dataFormat === 'NHWC' ? 3 : 1);

/** The height's and the width's part of what has one for each dimension. */
export function axesOf<T>(dimensions: readonly T[], dataFormat: 'NHWC' | 'NCHW'): [T, T] {
  return dataFormat === 'NHWC' ? [dimensions[1]!, dimensions[2]!] : [dimensions[2]!, dimensions[3]!];
}

interface AxisGeometry {
  padding: [number, number];
  out: number;
}

function axisGeometry(
  size: number,
  extent: number,
  stride: number,
  pad: string | readonly [number, number],
  round: (x: number) => number,
): AxisGeometry | undefined {
  if (size < 1) return undefined;
  if (pad === 'same') {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + extent - size);
    const before = Math.floor(total / 2);
    return { padding: [before, total - before], out };
  }
  if (typeof pad === 'string' && pad !== 'valid') return undefined;
  const [before, after] = pad === 'valid' ? [0, 0] : (pad as [number, number]);
  if (!isCount(before) || !isCount(after)) return undefined;
  const out = round((size + before + after - extent) / stride + 1);
  if (out < 1) return undefined;
  // Rounding up adds an output past the padding that was asked for; rounding down may leave some of it unread.
  return { padding: [before, Math.max(0, (out - 1) * stride + extent - size - before)], out };
}

const isCount = (x: number): boolean => Number.isInteger(x) && x >= 0;

function pair(value: number | readonly number[]): [number, number] {
  return typeof value === 'number' ? [value, value] : [value[0]!, value[1]!];
}
