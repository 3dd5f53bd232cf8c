import {
  channelsOf,
  type FilterShape,
  type InputShape,
  type Operator,
  otherChannels,
  otherDataFormat,
} from './convolution.js';
import { type Elementwise, elementwise } from './elementwise.js';
import { ELEMENTWISE } from './elementwise_key.js';
import { mismatch } from './errors.js';
import { Layer } from './layer.js';
import { runOnce, runOnceSync } from './one_shot.js';
import {
  CONV2D_OPTIONS,
  type Conv2dOptions,
  type FilterFormat,
  place,
  type RunOptions,
  type RunSyncOptions,
} from './options.js';
import type { Tensor, TensorLike } from './tensor.js';

const ASYNC = place('conv2d', ...CONV2D_OPTIONS, 'out', 'signal');
const SYNC = place('conv2dSync', ...CONV2D_OPTIONS, 'out');
const LAYER = place('new Conv2d', ...CONV2D_OPTIONS);

/**
 * A grouped 2-D convolution (`groups: 1` is the ordinary one), computed off the JS thread but for small ones (see
 * {@link Conv2d.run}). With `I = inC / groups` and `O = outC / groups`, output channel o belongs to group
 * `g = floor(o / O)` and is
 *
 * `output[n, y, x, o] = activation(bias[o] + sum over r, s, i of
 *   input[n, y * strideH + r * dilationH - top, x * strideW + s * dilationW - left, g * I + i] * filter[r, s, i, o])`
 *
 * as in PyTorch's conv2d and ONNX's Conv. The input and the filter are copied before the call returns.
 *
 * @param input [batch, height, width, inC] in NHWC, [batch, inC, height, width] in NCHW; either without batch, and then
 *   the output is too. The batch may be 0.
 * @param filter [fh, fw, inC / groups, outC] in HWIO, [outC, inC / groups, fh, fw] in OIHW.
 * @param options See {@link Conv2dOptions} and {@link RunOptions}; all have defaults.
 * @returns The output, in the input's format. Rejects with a TypeError or RangeError with a `code` where the arguments
 *   are wrong, with the signal's reason where it was aborted.
 *
 * @example
 * import { conv2d } from 'depthwise';
 *
 * const input = { data: new Float32Array(2 * 3 * 3 * 4).fill(1), shape: [2, 3, 3, 4] };
 * const filter = { data: new Float32Array(3 * 3 * 2 * 2).fill(1), shape: [3, 3, 2, 2] };
 * const output = await conv2d(input, filter, { groups: 2, padding: 'same' });
 * console.log(output.shape); // [ 2, 3, 3, 2 ]: fewer output than input channels
 */
export async function conv2d(
  input: TensorLike,
  filter: TensorLike,
  options?: Conv2dOptions & RunOptions,
): Promise<Tensor> {
  return runOnce(grouped, ASYNC, input, filter, options);
}

/**
 * {@link conv2d} on the JS thread, with all threads of the pool helping. Nothing is copied.
 *
 * @throws TypeError or RangeError with a `code` where the arguments are wrong.
 *
 * @example
 * import { conv2dSync } from 'depthwise';
 *
 * const input = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 4] };
 * const filter = { data: Float32Array.of(1, 10, 100, 1000), shape: [1, 1, 2, 2] };
 * console.log(conv2dSync(input, filter, { groups: 2 }).data); // Float32Array(2) [ 201, 4030 ]
 */
export function conv2dSync(input: TensorLike, filter: TensorLike, options?: Conv2dOptions & RunSyncOptions): Tensor {
  return runOnceSync(grouped, SYNC, input, filter, options);
}

/**
 * {@link conv2d} with weights that are checked, copied and packed once, for many inputs.
 *
 * @example
 * import { Conv2d } from 'depthwise';
 *
 * const filter = { data: new Float32Array(64 * 4 * 3 * 3), shape: [64, 4, 3, 3] };
 * const layer = new Conv2d(filter, { filterFormat: 'OIHW', groups: 16, padding: 1, activation: 'relu' });
 * console.log(layer.outputShape([1, 28, 28, 64])); // [ 1, 28, 28, 64 ]
 * const output = await layer.run({ data: new Float32Array(28 * 28 * 64), shape: [1, 28, 28, 64] });
 */
export class Conv2d extends Layer {
  /** @internal */
  static readonly [ELEMENTWISE]: Elementwise = elementwise;

  /**
   * @param filter [fh, fw, inC / groups, outC] in HWIO, [outC, inC / groups, fh, fw] in OIHW; copied.
   * @throws TypeError or RangeError with a `code` where filter or options are wrong.
   */
  constructor(filter: TensorLike, options?: Conv2dOptions) {
    super(grouped, LAYER, filter, options);
  }
}

const grouped: Operator = {
  readFilter(shape, { filterFormat, groups }) {
    const { height, width, inChannelsPerGroup, outChannels } = asFormat(shape, filterFormat);
    if (outChannels % groups !== 0) {
      const expected = `divide the output channels (${outChannels}, filter.shape[${filterFormat === 'HWIO' ? 3 : 0}])`;
      const other = asFormat(shape, otherFilterFormat(filterFormat));
      const hint = other.outChannels % groups === 0 ? `is the filter ${otherFilterFormat(filterFormat)}?` : undefined;
      throw mismatch('groups', expected, String(groups), hint);
    }
    return { height, width, inChannelsPerGroup, outChannels, shape, format: filterFormat, groups };
  },

  groupsFor(filter, input) {
    const { groups, inChannelsPerGroup } = filter;
    if (input.channels === inChannelsPerGroup * groups) return groups;
    const hint = likelyCause(filter, input);
    if (input.channels % groups !== 0) {
      throw mismatch('groups', `divide the input's channels (${channelsOf(input)})`, String(groups), hint);
    }
    const name = `filter.shape[${filter.format === 'HWIO' ? 2 : 1}]`;
    const perGroup = groups === 1 ? '' : ` / groups = ${input.channels / groups}`;
    const expected = `equal the input's channels${perGroup} (${channelsOf(input)})`;
    throw mismatch(name, expected, String(inChannelsPerGroup), hint);
  },
};

function asFormat(shape: readonly number[], format: FilterFormat) {
  const [a, b, c, d] = shape as [number, number, number, number];
  return format === 'HWIO'
    ? { height: a, width: b, inChannelsPerGroup: c, outChannels: d }
    : { outChannels: a, inChannelsPerGroup: b, height: c, width: d };
}

function otherFilterFormat(format: FilterFormat): FilterFormat {
  return format === 'HWIO' ? 'OIHW' : 'HWIO';
}

function likelyCause({ shape, format, inChannelsPerGroup, outChannels, groups }: FilterShape, input: InputShape) {
  const otherInput = `is the input ${otherDataFormat(input.format)}?`;
  if (otherChannels(input) === inChannelsPerGroup * groups) return otherInput;
  const other = otherFilterFormat(format);
  if (asFormat(shape, other).inChannelsPerGroup * groups === input.channels) return `is the filter ${other}?`;
  const fitting = input.channels / inChannelsPerGroup;
  if (Number.isInteger(fitting) && outChannels % fitting === 0) return `with this filter, groups would be ${fitting}`;
  return otherInput;
}
