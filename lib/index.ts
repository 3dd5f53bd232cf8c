export type { Activation, PlainActivation } from './activation.js';
export { Conv2d, conv2d, conv2dSync } from './conv2d.js';
export { DepthwiseConv2d, depthwiseConv2d, depthwiseConv2dSync } from './depthwise_conv2d.js';
export type { ErrorCode } from './errors.js';
export {
  fromImage,
  fromNdarray,
  type NdarrayLike,
  type NestedArray,
  type RawImage,
  tensor,
  toImage,
} from './io/convert.js';
export type { Explanation, Isa } from './native.js';
export type {
  Algorithm,
  Conv2dOptions,
  DataFormat,
  DepthwiseConv2dOptions,
  FilterFormat,
  Padding,
  RunOptions,
  RunSyncOptions,
} from './options.js';
export { availableIsas, getThreads, isa, setThreads, version } from './runtime.js';
export type { Tensor, TensorLike } from './tensor.js';
export type { Pair } from './validate.js';
