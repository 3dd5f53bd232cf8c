import '@tensorflow/tfjs-backend-wasm';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Workload } from '../workload.js';
import type { Contender } from './competitor.js';

let started: Promise<void> | undefined;

function start(): Promise<void> {
  started ??= (async () => {
    setWasmPaths(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url).pathname);
    await tf.setBackend('wasm');
    await tf.ready();
  })();
  return started;
}

function padding({ padding: [[top, bottom], [left, right]], same }: Workload): 'same' | number {
  if (same) return 'same';
  if (top !== bottom || top !== left || top !== right) throw new Error('no padding that differs between sides');
  return top;
}

/**
 * Its result stays in WebAssembly memory: reading it out is not part of the call. In Node it has one thread, whatever
 * others are given. It has no groups.
 */
export const tfjsWasm: Contender = {
  library: 'tfjs-backend-wasm',
  how: 'conv2d or depthwiseConv2d',
  layout: 'nhwc',
  async make(workload, tensors) {
    const { batch, input, output, filter, strides, dilations, groups } = workload;
    if (groups !== 1 && groups !== input[2]) throw new Error('no groups');
    await start();
    const x = tf.tensor4d(tensors.inputNhwc, [batch, ...input]);
    const bias = tf.tensor1d(tensors.bias);
    const depthwise = groups === input[2];
    const shape = depthwise ? [...filter, input[2], output[2] / input[2]] : [...filter, input[2], output[2]];
    const weights = tf.tensor4d(tensors.filterHwio, shape as [number, number, number, number]);
    const options = { x, filter: weights, strides, pad: padding(workload), dilations, bias } as const;
    const compute = () => (depthwise ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options));
    return {
      call: () => compute().dispose(),
      async output() {
        const result = compute();
        const data = await result.data();
        result.dispose();
        return data as Float32Array;
      },
      dispose: () => tf.dispose([x, bias, weights]),
    };
  },
};
