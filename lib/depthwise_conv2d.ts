import {
  channelsOf,
  type FilterShape,
  type InputShape,
  type Operator,
  otherChannels,
  otherDataFormat,
} from './convolution.js';
import { mismatch } from './errors.js';
import { Layer } from './layer.js';
import { runOnce, runOnceSync } from './one_shot.js';
import {
  DEPTHWISE_OPTIONS,
  type DepthwiseConv2dOptions,
  place,
  type RunOptions,
  type RunSyncOptions,
} from './options.js';
import type { Tensor, TensorLike } from './tensor.js';

const ASYNC = place('depthwiseConv2d', ...DEPTHWISE_OPTIONS, 'out', 'signal');
const SYNC = place('depthwiseConv2dSync', ...DEPTHWISE_OPTIONS, 'out');
const LAYER = place('new DepthwiseConv2d', ...DEPTHWISE_OPTIONS);

/**
 * A depthwise 2-D convolution, computed off the JS thread but for small ones (see {@link DepthwiseConv2d.run}): each input
 * channel c is filtered by M filters of its own (the channel multiplier), and the result of the m-th is output channel `c * M + m`:
 *
 * `output[n, y, x, c * M + m] = activation(bias[c * M + m] + sum over r, s of
 *   input[n, y * strideH + r * dilationH - top, x * strideW + s * dilationW - left, c] * filter[r, s, c, m])`
 *
 * as in tf.nn.depthwise_conv2d. The input and the filter are copied before the call returns.
 *
 * @param input [batch, height, width, inC] in NHWC, [batch, inC, height, width] in NCHW; either without batch, and then
 *   the output is too. The batch may be 0.
 * @param filter [fh, fw, inC, M] in HWIO (TensorFlow's), [inC * M, 1, fh, fw] in OIHW (PyTorch's).
 * @param options See {@link DepthwiseConv2dOptions} and {@link RunOptions}; all have defaults.
 * @returns The output, in the input's format. Rejects with a TypeError or RangeError with a `code` where the arguments
 *   are wrong, with the signal's reason where it was aborted.
 *
 * @example
 * import { depthwiseConv2d } from 'depthwise';
 *
 * const input = { data: new Float32Array(2 * 3 * 3 * 4).fill(1), shape: [2, 3, 3, 4] };
 * const filter = { data: new Float32Array(3 * 3 * 4 * 2).fill(1), shape: [3, 3, 4, 2] };
 * const output = await depthwiseConv2d(input, filter, { padding: 'same' });
 * console.log(output.shape); // [ 2, 3, 3, 8 ]: each of the 4 channels became 2
 */
export async function depthwiseConv2d(
  input: TensorLike,
  filter: TensorLike,
  options?: DepthwiseConv2dOptions & RunOptions,
): Promise<Tensor> {
  return runOnce(depthwise, ASYNC, input, filter, options);
}

/**
 * {@link depthwiseConv2d} on the JS thread, with all threads of the pool helping. Nothing is copied.
 *
 * @throws TypeError or RangeError with a `code` where the arguments are wrong.
 *
 * @example
 * import { depthwiseConv2dSync } from 'depthwise';
 *
 * const input = { data: Float32Array.of(1, 2), shape: [1, 1, 2] };
 * const filter = { data: Float32Array.of(1, 10, 100, 1000), shape: [1, 1, 2, 2] };
 * console.log(depthwiseConv2dSync(input, filter).data); // Float32Array(4) [ 1, 10, 200, 2000 ]
 */
export function depthwiseConv2dSync(
  input: TensorLike,
  filter: TensorLike,
  options?: DepthwiseConv2dOptions & RunSyncOptions,
): Tensor {
  return runOnceSync(depthwise, SYNC, input, filter, options);
}

/**
 * {@link depthwiseConv2d} with weights that are checked, copied and packed once, for many inputs.
 *
 * @example
 * import { DepthwiseConv2d } from 'depthwise';
 *
 * const filter = { data: new Float32Array(3 * 3 * 32), shape: [3, 3, 32, 1] };
 * const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same', activation: 'relu6' });
 * console.log(layer.outputShape([1, 112, 112, 32])); // [ 1, 56, 56, 32 ]
 * const output = await layer.run({ data: new Float32Array(112 * 112 * 32), shape: [1, 112, 112, 32] });
 */
export class DepthwiseConv2d extends Layer {
  /**
   * @param filter [fh, fw, inC, M] in HWIO, [inC * M, 1, fh, fw] in OIHW; copied. An OIHW filter doesn't tell inC: it
   *   fits inputs of any number of channels that divides its own.
   * @throws TypeError or RangeError with a `code` where filter or options are wrong.
   */
  constructor(filter: TensorLike, options?: DepthwiseConv2dOptions) {
    super(depthwise, LAYER, filter, options);
  }
}

// To the addon, [fh, fw, inC, M] is the grouped filter [fh, fw, 1, inC * M] with inC groups: the memory is the same.
const depthwise: Operator = {
  readFilter(shape, { filterFormat: format }) {
    const [a, b, c, d] = shape as [number, number, number, number];
    if (format === 'HWIO') {
      return { shape, format, height: a, width: b, inChannelsPerGroup: 1, outChannels: c * d, groups: c };
    }
    if (b !== 1) {
      throw mismatch('filter.shape[1]', 'be 1 in OIHW, which is [inC * multiplier, 1, fh, fw]', String(b), hwioHint(d));
    }
    return { shape, format, height: c, width: d, inChannelsPerGroup: 1, outChannels: a, groups: 0 };
  },

  groupsFor(filter, input) {
    if (filter.format === 'OIHW') {
      if (filter.outChannels % input.channels === 0) return input.channels;
      const expected = `be a multiple of the input's channels (${channelsOf(input)})`;
      throw mismatch('filter.shape[0]', expected, String(filter.outChannels), likelyCause(filter, input));
    }
    if (filter.groups === input.channels) return input.channels;
    const expected = `equal the input's channels (${channelsOf(input)})`;
    throw mismatch('filter.shape[2]', expected, String(filter.groups), likelyCause(filter, input));
  },
};

function hwioHint(lastSize: number): string {
  return lastSize === 1 ? 'is the filter HWIO?' : 'is the filter HWIO, or a grouped one for conv2d?';
}

function likelyCause({ shape, format, outChannels, groups }: FilterShape, input: InputShape): string {
  const otherInput = `is the input ${otherDataFormat(input.format)}?`;
  const { channels } = input;
  if (format === 'OIHW') {
    if (outChannels % otherChannels(input) === 0) return otherInput;
    return channels % outChannels === 0 ? 'fewer output than input channels need conv2d with groups' : otherInput;
  }
  if (groups === otherChannels(input)) return otherInput;
  const [first, second, third, fourth] = shape as [number, number, number, number];
  if (second === 1 && first % channels === 0) return 'is the filter OIHW?';
  if (third === 1 && fourth % channels === 0)
    return `HWIO is [fh, fw, inC, multiplier], here [${[first, second, channels, fourth / channels]}]`;
  if (channels % third === 0 && fourth % (channels / third) === 0)
    return `conv2d with groups: ${channels / third} takes this filter`;
  return otherInput;
}
