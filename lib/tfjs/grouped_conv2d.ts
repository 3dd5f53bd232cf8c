import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  concat,
  conv2d,
  engine,
  type NamedAttrMap,
  registerGradient,
  reshape,
  split,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import { channelAxis, type TfPadding } from './geometry.js';
import { BACKEND_NAME, GROUPED_CONV2D, type GroupedAttrs } from './kernels.js';

// The declared types of reshape want to know the rank.
const withShape = (x: Tensor, shape: number[]): Tensor => reshape(x, shape as [number]);

/**
 * Grouped 2-D convolution of tensors: the channels of `x` are cut into `groups` equal parts, each convolved with its part
 * of the filters; differentiable with respect to `x` and `filter`.
 *
 * On the `depthwise` backend it is one native call; on any other backend it is made of `groups` convolutions.
 *
 * @param x [batch, height, width, channels], or NCHW as `dataFormat` says; rank 3 without the batch.
 * @param filter [height, width, channels / groups, outChannels]; output channel o belongs to group
 *   floor(o / (outChannels / groups)).
 * @param strides n or [h, w].
 * @param pad 'same', 'valid', a number, or explicit pairs as in `tf.conv2d`.
 * @param groups divides the channels of `x` and the output channels.
 * @param dataFormat 'NHWC' (default) or 'NCHW'.
 * @param dilations n or [h, w], default 1. As in tfjs there is no gradient for dilations above 1.
 * @param dimRoundingMode as in `tf.conv2d`.
 * @throws Error where shapes don't fit, as tfjs's operators do.
 * @example
 * import * as tf from '@tensorflow/tfjs-core';
 * import { groupedConv2d } from 'depthwise/tfjs';
 * await tf.setBackend('depthwise');
 * const y = groupedConv2d(tf.ones([1, 8, 8, 4]), tf.ones([3, 3, 2, 6]), 1, 'same', 2);
 * console.log(y.shape); // [ 1, 8, 8, 6 ]
 */
export function groupedConv2d<T extends Tensor3D | Tensor4D>(
  x: T,
  filter: Tensor4D,
  strides: number | [number, number],
  pad: TfPadding,
  groups: number,
  dataFormat: 'NHWC' | 'NCHW' = 'NHWC',
  dilations: number | [number, number] = 1,
  dimRoundingMode?: 'floor' | 'round' | 'ceil',
): T {
  util.assert(x.rank === 3 || x.rank === 4, () => `Error in groupedConv2d: x must be rank 3 or 4, but got ${x.rank}.`);
  util.assert(
    x.dtype === 'float32' && filter.dtype === 'float32',
    () => `Error in groupedConv2d: x and filter must be float32, but got ${x.dtype} and ${filter.dtype}.`,
  );
  util.assert(filter.rank === 4, () => `Error in groupedConv2d: filter must be rank 4, but got ${filter.rank}.`);
  const batched = (x.rank === 4 ? x : withShape(x as Tensor, [1, ...x.shape])) as Tensor4D;
  const channels = batched.shape[channelAxis(dataFormat)]!;
  const [, , perGroup, outChannels] = filter.shape;
  util.assert(
    Number.isInteger(groups) && groups >= 1 && channels % groups === 0 && outChannels % groups === 0,
    () =>
      `Error in groupedConv2d: groups (${groups}) must divide the channels of x (${channels}) and of the output (${outChannels}).`,
  );
  util.assert(
    perGroup * groups === channels,
    () =>
      `Error in groupedConv2d: filter has ${perGroup} input channels, but x has ${channels / groups} in each of ${groups} groups.`,
  );
  const attrs: GroupedAttrs = {
    strides,
    pad,
    dataFormat,
    dilations,
    groups,
    ...(dimRoundingMode && { dimRoundingMode }),
  };
  const y =
    engine().backendName === BACKEND_NAME
      ? (engine().runKernel(GROUPED_CONV2D, { x: batched, filter }, attrs as unknown as NamedAttrMap) as Tensor4D)
      : composed(batched, filter, attrs);
  return (x.rank === 4 ? y : withShape(y as Tensor, y.shape.slice(1))) as T;
}

// Slice, convolve, concatenate: what grouped convolution means, on backends that don't have it.
function composed(x: Tensor4D, filter: Tensor4D, attrs: GroupedAttrs): Tensor4D {
  const { strides, pad, dataFormat, dilations, dimRoundingMode, groups } = attrs;
  return tidy(() => {
    const axis = channelAxis(dataFormat);
    const filters = split(filter as Tensor, groups, 3) as Tensor4D[];
    const parts = (split(x as Tensor, groups, axis) as Tensor4D[]).map((part, g) =>
      conv2d(part, filters[g]!, strides, pad, dataFormat, dilations, dimRoundingMode),
    );
    return concat(parts, axis);
  });
}

/** Makes {@link groupedConv2d} differentiable on our backend, group by group with tfjs's own backprop kernels. */
export function registerGroupedGradient(): void {
  registerGradient({
    kernelName: GROUPED_CONV2D,
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, saved, attributes) => {
      const [x, filter] = saved as [Tensor4D, Tensor4D];
      const { strides, pad, dataFormat, dilations, dimRoundingMode, groups } = attributes as unknown as GroupedAttrs;
      util.assert(
        [dilations].flat().every((d) => d === 1),
        () =>
          `Error in gradient of groupedConv2d: dilation rates greater than 1 are not supported, got '${dilations}'.`,
      );
      const axis = channelAxis(dataFormat);
      const attrs = { strides, pad, dataFormat, ...(dimRoundingMode && { dimRoundingMode }) };
      const perGroup = (kernel: string, inputs: (g: number) => Record<string, Tensor>, extra: object): Tensor[] =>
        Array.from(
          { length: groups },
          (_, g) => engine().runKernel(kernel, inputs(g), { ...attrs, ...extra } as unknown as NamedAttrMap) as Tensor,
        );
      const dys = (): Tensor[] => split(dy as Tensor, groups, axis);
      return {
        x: () =>
          tidy(() => {
            const parts = dys();
            const filters = split(filter as Tensor, groups, 3);
            const inputShape = x.shape.map((size, i) => (i === axis ? size / groups : size));
            return concat(
              perGroup(Conv2DBackpropInput, (g) => ({ dy: parts[g]!, filter: filters[g]! }), { inputShape }),
              axis,
            );
          }),
        filter: () =>
          tidy(() => {
            const parts = dys();
            const xs = split(x as Tensor, groups, axis);
            const filterShape = [...filter.shape.slice(0, 3), filter.shape[3] / groups];
            return concat(
              perGroup(Conv2DBackpropFilter, (g) => ({ x: xs[g]!, dy: parts[g]! }), { filterShape }),
              3,
            );
          }),
      };
    },
  });
}
