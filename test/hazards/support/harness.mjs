// What the hazards share. The library under test is named by the environment, so that the same programs run against the
// addon as users build it and against one with AddressSanitizer.
import { strict as assert } from 'node:assert';
import v8 from 'node:v8';
import vm from 'node:vm';

export { assert };
export const library = process.env.DEPTHWISE_UNDER_TEST;
export const depthwise = await import(library);
export const { DepthwiseConv2d, Conv2d, conv2d, conv2dSync, depthwiseConv2d, depthwiseConv2dSync } = depthwise;

export const SHAPE = [1, 64, 64, 32];
export const FILTER_SHAPE = [3, 3, 32, 1];

export function fill(array, seed = 1) {
  let state = seed;
  for (let i = 0; i < array.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    array[i] = state / 2 ** 31 - 1;
  }
  return array;
}

export const size = (shape) => shape.reduce((a, b) => a * b, 1);
export const tensor = (shape, seed) => ({ data: fill(new Float32Array(size(shape)), seed), shape });
export const copyOf = ({ data, shape }) => ({ data: Float32Array.from(data), shape: [...shape] });

export function same(actual, expected, message) {
  assert.equal(Buffer.compare(bytes(actual.data), bytes(expected.data)), 0, message ?? 'the numbers differ');
  assert.deepEqual(actual.shape, expected.shape);
}

function bytes(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

export async function rejects(promise, code, message) {
  await assert.rejects(promise, { code }, message);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A full garbage collection, without a command line flag. */
export const collect = (() => {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc');
})();

/** A convolution that takes at least about `seconds`, in thousands of tiles, and its input. */
export function heavy(seconds) {
  const layer = new Conv2d(tensor([15, 15, 32, 32], 5), { padding: 'same' });
  const rows = 32;
  const sample = tensor([1, rows, 64, 32], 6);
  // The shortest time: a machine that was busy with something else would make the rest of it too short.
  let best = Infinity;
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    layer.runSync(sample);
    best = Math.min(best, performance.now() - start);
  }
  return { layer, input: tensor([1, Math.ceil((seconds * 1000 * rows) / best), 64, 32], 7) };
}

/** Ends a hazard: the process must get here, with a library that still computes right. */
export function survived() {
  const ones = { data: new Float32Array(9).fill(1), shape: [1, 3, 3, 1] };
  const nine = depthwiseConv2dSync(ones, { data: new Float32Array(9).fill(1), shape: [3, 3, 1, 1] });
  assert.deepEqual(nine, { data: Float32Array.of(9), shape: [1, 1, 1, 1] });
  console.log('survived');
}
