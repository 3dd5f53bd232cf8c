import { parentPort } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { kernelCalls } from '../../dist/tfjs/index.js';

await tf.setBackend('depthwise');
const y = tf.depthwiseConv2d(tf.ones([1, 6, 6, 3]), tf.ones([3, 3, 3, 1]), 1, 'valid');
parentPort.postMessage({ output: y.dataSync(), calls: kernelCalls.get('DepthwiseConv2dNative') });
