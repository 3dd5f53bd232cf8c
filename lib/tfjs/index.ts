/**
 * A TensorFlow.js backend for Node.js whose convolutions run on this package's kernels.
 *
 * Importing this module registers the backend; `await tf.setBackend('depthwise')` selects it. Products of matrices run on
 * the same kernels; the rest is tfjs's CPU backend, with shorter loops for what stands between convolutions. Needs
 * `@tensorflow/tfjs-core` and `@tensorflow/tfjs-backend-cpu`.
 *
 * @module depthwise/tfjs
 * @example
 * import * as tf from '@tensorflow/tfjs-core';
 * import 'depthwise/tfjs';
 * await tf.setBackend('depthwise');
 * const y = tf.depthwiseConv2d(tf.ones([1, 8, 8, 4]), tf.ones([3, 3, 4, 2]), 1, 'same');
 * console.log(y.shape); // [ 1, 8, 8, 8 ]
 */
import { registerDepthwiseBackend } from './register.js';

export { groupedConv2d } from './grouped_conv2d.js';
export { BACKEND_NAME, fallbackCalls, kernelCalls } from './kernels.js';

registerDepthwiseBackend();
