import { type ActivationSpec, LINEAR, readActivation } from './activation.js';
import { formatShape, unreadable } from './errors.js';
import { axisGeometry, checkedProduct } from './geometry.js';
import type { LayerSpec, Problem } from './native.js';
import { type DataFormat, type FilterFormat, type Place, readSettings, type Settings } from './options.js';
import { readChannelValues, readTensor } from './tensor.js';

/** What the two operators have in common is in this file; how each understands its filter is in its own. */
export interface Operator {
  readFilter(shape: readonly number[], settings: Settings): FilterShape;
  /** How many groups an input is divided into. @throws RangeError ERR_SHAPE_MISMATCH where the filter doesn't fit it. */
  groupsFor(filter: FilterShape, input: InputShape): number;
}

export interface FilterShape {
  readonly shape: readonly number[];
  readonly format: FilterFormat;
  readonly height: number;
  readonly width: number;
  readonly inChannelsPerGroup: number;
  readonly outChannels: number;
  /** 0 where only the input tells. */
  readonly groups: number;
}

export interface InputShape {
  readonly shape: readonly number[];
  readonly format: DataFormat;
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A convolution that has not seen its input yet. */
export interface Convolution {
  readonly operator: Operator;
  readonly settings: Settings;
  readonly filterShape: FilterShape;
}

/** The caller's own arrays, and what is applied after them. */
export interface Weights {
  readonly filter: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: ActivationSpec;
}

/** A convolution of inputs of one shape. */
export interface Geometry {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly outputLength: number;
  readonly problem: Problem;
}

/** Reads a filter and the options of a convolution, everything once. */
export function readConvolution(
  operator: Operator,
  place: Place,
  filter: unknown,
  options: unknown,
): { convolution: Convolution; weights: Weights } {
  const { data, shape } = readTensor('filter', filter, 4, 4, false);
  try {
    const { settings, bias, activation } = readSettings(place, options);
    const filterShape = operator.readFilter(shape, settings);
    const { outChannels } = filterShape;
    return {
      convolution: { operator, settings, filterShape },
      weights: {
        filter: data,
        bias: bias === undefined ? undefined : readChannelValues('bias', bias, outChannels),
        activation: activation === undefined ? LINEAR : readActivation(activation, outChannels),
      },
    };
  } catch (error) {
    throw unreadable(`the options of ${place.name}`, error);
  }
}

export function layerSpec({ filterShape }: Convolution, activation: ActivationSpec): LayerSpec {
  return {
    filterHeight: filterShape.height,
    filterWidth: filterShape.width,
    inChannelsPerGroup: filterShape.inChannelsPerGroup,
    outChannels: filterShape.outChannels,
    groups: filterShape.groups,
    filterFormat: filterShape.format === 'HWIO' ? 0 : 1,
    activation: activation.kind,
    alpha: activation.alpha,
    lo: activation.lo,
    hi: activation.hi,
  };
}

/**
 * What a convolution does with inputs of `shape`, which is one that readShape returned.
 *
 * @throws RangeError ERR_SHAPE_MISMATCH where filter or groups don't fit it, ERR_OUT_OF_RANGE where a size overflows.
 */
export function geometryFor(convolution: Convolution, shape: readonly number[]): Geometry {
  const { operator, settings, filterShape: filter } = convolution;
  const input = inputShape(shape, settings.dataFormat);
  const groups = operator.groupsFor(filter, input);
  const [strideHeight, strideWidth] = settings.strides;
  const [dilationHeight, dilationWidth] = settings.dilations;
  const rows = axisGeometry({
    name: 'height',
    input: input.height,
    filter: filter.height,
    stride: strideHeight,
    dilation: dilationHeight,
    padding: settings.padding[0],
  });
  const columns = axisGeometry({
    name: 'width',
    input: input.width,
    filter: filter.width,
    stride: strideWidth,
    dilation: dilationWidth,
    padding: settings.padding[1],
  });
  const outputShape = shapeOf(settings.dataFormat, shape.length, input.batch, rows.output, columns.output, filter);
  checkedProduct('the padded input', [input.batch, rows.padded, columns.padded, input.channels]);

  return {
    inputShape: shape,
    outputShape,
    outputLength: checkedProduct('the output', outputShape),
    problem: {
      batch: input.batch,
      inHeight: input.height,
      inWidth: input.width,
      inChannels: input.channels,
      outHeight: rows.output,
      outWidth: columns.output,
      outChannels: filter.outChannels,
      filterHeight: filter.height,
      filterWidth: filter.width,
      // A step past the end is never taken. Cut short, it keeps the addon's index products within the padded input.
      strideHeight: Math.min(strideHeight, rows.padded),
      strideWidth: Math.min(strideWidth, columns.padded),
      dilationHeight: Math.min(dilationHeight, rows.padded),
      dilationWidth: Math.min(dilationWidth, columns.padded),
      padTop: rows.before,
      padLeft: columns.before,
      groups,
      dataFormat: settings.dataFormat === 'NHWC' ? 0 : 1,
      filterFormat: filter.format === 'HWIO' ? 0 : 1,
      algorithm: settings.algorithm === 'direct' ? 0 : 1,
    },
  };
}

function inputShape(shape: readonly number[], format: DataFormat): InputShape {
  const [batch, a, b, c] = (shape.length === 4 ? shape : [1, ...shape]) as [number, number, number, number];
  return format === 'NHWC'
    ? { shape, format, batch, height: a, width: b, channels: c }
    : { shape, format, batch, height: b, width: c, channels: a };
}

function shapeOf(
  format: DataFormat,
  rank: number,
  batch: number,
  height: number,
  width: number,
  { outChannels }: FilterShape,
): readonly number[] {
  const image = format === 'NHWC' ? [height, width, outChannels] : [outChannels, height, width];
  return rank === 4 ? [batch, ...image] : image;
}

/** "4, the last of [2,5,6,4] in NHWC": the channels of an input and where they were read. */
export function channelsOf({ channels, shape, format }: InputShape): string {
  const where = format === 'NHWC' ? 'last' : shape.length === 4 ? 'second' : 'first';
  return `${channels}, the ${where} of ${formatShape(shape)} in ${format}`;
}

/** What the channels would be if the input were in the other format. */
export function otherChannels({ format, height, width }: InputShape): number {
  return format === 'NHWC' ? height : width;
}

export function otherDataFormat(format: DataFormat): DataFormat {
  return format === 'NHWC' ? 'NCHW' : 'NHWC';
}
