// What the runner bundles: tfjs-core's own specs for backends, run on ours. The order of the imports matters: the
// environments have to be known before the first spec is described.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import './environment.js';
import '@tensorflow/tfjs-core/dist/tests.js';
import { fallbackCalls, kernelCalls } from '../../../lib/tfjs/index.js';

Object.assign(globalThis, { depthwiseKernelCalls: kernelCalls, depthwiseFallbackCalls: fallbackCalls });
