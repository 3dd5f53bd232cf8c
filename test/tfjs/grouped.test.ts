import * as tf from '@tensorflow/tfjs-core';
// The Layers API brings the gradients of tfjs's operators with it.
import '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { groupedConv2d, kernelCalls } from '../../lib/tfjs/index.js';

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

const inputs = (): [tf.Tensor4D, tf.Tensor4D] => [
  tf.randomUniform([2, 7, 6, 6], -1, 1, 'float32', 1),
  tf.randomUniform([3, 3, 2, 9], -1, 1, 'float32', 2),
];

// The definition: slice, convolve, concatenate.
const sliced = (x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D =>
  tf.concat(
    [0, 1, 2].map((g) =>
      tf.conv2d(
        tf.slice(x, [0, 0, 0, 2 * g], [-1, -1, -1, 2]),
        tf.slice(filter, [0, 0, 0, 3 * g], [-1, -1, -1, 3]),
        2,
        'same',
      ),
    ),
    3,
  );

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]!).toBeLessThan(1e-5);
}

describe.each(['depthwise', 'cpu'])('on the %s backend', (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test('equals slices convolved one by one, in both formats, with and without a batch', () => {
    const [x, filter] = inputs();
    const expected = sliced(x, filter);
    expectClose(groupedConv2d(x, filter, 2, 'same', 3), expected);
    const nchw = groupedConv2d(tf.transpose(x, [0, 3, 1, 2]), filter, 2, 'same', 3, 'NCHW');
    expectClose(tf.transpose(nchw, [0, 2, 3, 1]), expected);
    const single = tf.reshape(tf.slice(x, 0, 1), [7, 6, 6]) as tf.Tensor3D;
    expectClose(groupedConv2d(single, filter, 2, 'same', 3), tf.reshape(tf.slice(expected, 0, 1), [4, 3, 9]));
  });

  test('its gradient equals that of the slices', () => {
    const actual = tf.grads((x, f) => groupedConv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, 'same', 3))(inputs());
    const expected = tf.grads((x, f) => sliced(x as tf.Tensor4D, f as tf.Tensor4D))(inputs());
    for (const i of [0, 1]) expectClose(actual[i]!, expected[i]!);
  });
});

test('runs natively on our backend', () => {
  const before = kernelCalls.get('DepthwiseGroupedConv2D') ?? 0;
  groupedConv2d(...inputs(), 1, 'valid', 3);
  expect(kernelCalls.get('DepthwiseGroupedConv2D')).toBe(before + 1);
});

test('what does not fit is refused', () => {
  const [x, filter] = inputs();
  expect(() => groupedConv2d(x, filter, 1, 'same', 4)).toThrow('groups (4) must divide the channels of x (6)');
  expect(() => groupedConv2d(x, filter, 1, 'same', 1)).toThrow('filter has 2 input channels, but x has 6');
  expect(() => groupedConv2d(x, tf.ones([3, 3, 2]) as never, 1, 'same', 3)).toThrow('filter must be rank 4');
});
