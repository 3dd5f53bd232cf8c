import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Activation } from '../index.js';
import type { DepthwiseBackend } from './backend.js';

/** What tfjs's fused operators add to a convolution. */
export interface FusedAttrs {
  activation?: 'linear' | 'relu' | 'relu6' | 'elu' | 'prelu' | 'leakyrelu' | 'sigmoid';
  leakyreluAlpha?: number;
}

/**
 * One value per output channel from a tensor that tfjs would broadcast over a convolution's output, or undefined where
 * it varies along another axis. A tensor of rank 1 goes with the channels in both formats, as in tfjs's kernels.
 */
export function perChannel(
  backend: DepthwiseBackend,
  { dataId, shape, dtype }: TensorInfo,
  channels: number,
  dataFormat: 'NHWC' | 'NCHW',
): Float32Array | undefined {
  const values = backend.float32({ dataId, shape, dtype });
  if (values.length === 1) return new Float32Array(channels).fill(values[0]!);
  const fromLast = dataFormat === 'NHWC' || shape.length === 1 ? 1 : 3;
  if (values.length !== channels || shape.at(-fromLast) !== channels) return undefined;
  return values;
}

/** The activation in our terms, or undefined where its weights vary within a channel. */
export function activationOf(
  backend: DepthwiseBackend,
  { activation = 'linear', leakyreluAlpha = 0.2 }: FusedAttrs,
  weights: TensorInfo | undefined,
  channels: number,
  dataFormat: 'NHWC' | 'NCHW',
): Activation | undefined {
  if (activation === 'leakyrelu') return { type: 'leakyRelu', alpha: leakyreluAlpha };
  if (activation !== 'prelu') return activation;
  const alpha = weights && perChannel(backend, weights, channels, dataFormat);
  return alpha && { type: 'prelu', alpha };
}
