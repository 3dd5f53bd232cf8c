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
}

const ROUND = { floor: Math.floor, round: Math.round, ceil: Math.ceil };

/**
 * tfjs's geometry in terms of explicit padding, or undefined where it isn't a convolution with whole, non-negative
 * padding and a non-empty output: those stay tfjs's own.
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
  const round = attrs.dimRoundingMode ? ROUND[attrs.dimRoundingMode] : Math.trunc;
  const [padHeight, padWidth] = paddingOfAxes(attrs);
  const rows = axisPadding(inHeight, (filterHeight - 1) * dilations[0] + 1, strides[0], padHeight, round);
  const columns = axisPadding(inWidth, (filterWidth - 1) * dilations[1] + 1, strides[1], padWidth, round);
  return rows && columns && { strides, dilations, padding: [rows, columns] };
}

type AxisPadding = 'valid' | 'same' | readonly [number, number];

function paddingOfAxes({ pad, dataFormat }: ConvAttrs): [AxisPadding, AxisPadding] {
  if (typeof pad === 'string') return [pad, pad];
  if (typeof pad === 'number') {
    return [
      [pad, pad],
      [pad, pad],
    ];
  }
  return dataFormat === 'NHWC' ? [pad[1], pad[2]] : [pad[2], pad[3]];
}

function axisPadding(
  size: number,
  extent: number,
  stride: number,
  pad: AxisPadding,
  round: (x: number) => number,
): [number, number] | undefined {
  if (pad === 'same') {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  }
  const [before, after] = pad === 'valid' ? [0, 0] : pad;
  if (!isCount(before) || !isCount(after)) return undefined;
  const out = round((size + before + after - extent) / stride + 1);
  if (out < 1 || size < 1) return undefined;
  // Rounding up adds an output past the padding that was asked for; rounding down may leave some of it unread.
  return [before, Math.max(0, (out - 1) * stride + extent - size - before)];
}

const isCount = (x: number): boolean => Number.isInteger(x) && x >= 0;

function pair(value: number | readonly number[]): [number, number] {
  return typeof value === 'number' ? [value, value] : [value[0]!, value[1]!];
}
