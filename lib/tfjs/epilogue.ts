import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Activation } from '../index.js';
import type { DepthwiseBackend } from './backend.js';

/** What tfjs's fused operators add to a convolution. */
export interface FusedAttrs {
  activation?: 'linear' | 'relu' | 'relu6' | 'elu' | 'prelu' | 'leakyrelu' | 'sigmoid' | null;
  leakyreluAlpha?: number;
}

/** What `perChannel` has to know of the tensor that values are broadcast over. */
export interface Output {
  channels: number;
  rank: number;
  dataFormat: 'NHWC' | 'NCHW';
}

/**
 * One value per output channel from a tensor that tfjs would broadcast over a convolution's output, or undefined where
 * it varies along another axis or adds one. A tensor of rank 1 goes with the channels in both formats, as in tfjs's
 * kernels.
 */
export function perChannel(
  backend: DepthwiseBackend,
  tensor: TensorInfo,
  { channels, rank, dataFormat }: Output,
): Float32Array | undefined {
  const { shape } = tensor;
  const values = backend.float32(tensor);
  if (shape.length > rank) return undefined;
  if (values.length === 1) return new Float32Array(channels).fill(values[0]!);
  const fromLast = dataFormat === 'NHWC' || shape.length === 1 ? 1 : 3;
  if (values.length !== channels || shape.at(-fromLast) !== channels) return undefined;
  return values;
}

/** The activation in our terms, or undefined where its weights vary within a channel or tfjs doesn't know it. */
export function activationOf(
  backend: DepthwiseBackend,
  attrs: FusedAttrs,
  weights: TensorInfo | undefined,
  output: Output,
): Activation | undefined {
  const activation = attrs.activation ?? 'linear';
  switch (activation) {
    case 'linear':
    case 'relu':
    case 'relu6':
    case 'elu':
    case 'sigmoid':
      return activation;
    case 'leakyrelu': {
      const alpha = attrs.leakyreluAlpha ?? 0.2;
      return Number.isFinite(alpha) ? { type: 'leakyRelu', alpha } : undefined;
    }
    case 'prelu': {
      const alpha = weights && perChannel(backend, weights, output);
      return alpha && { type: 'prelu', alpha };
    }
    default:
      return undefined;
  }
}
