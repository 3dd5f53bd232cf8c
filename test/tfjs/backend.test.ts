import * as tf from '@tensorflow/tfjs-core';
// The Layers API brings the gradients of tfjs's operators with it.
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { kernelCalls } from '../../lib/tfjs/index.js';

type Activation = 'linear' | 'relu' | 'relu6' | 'elu' | 'prelu' | 'leakyrelu' | 'sigmoid';

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

/** What `f` gives on a backend, tensors made there and disposed. */
async function on(backend: string, f: () => tf.Tensor): Promise<{ shape: number[]; data: Float32Array }> {
  await tf.setBackend(backend);
  const y = tf.tidy(f);
  const result = { shape: y.shape, data: Float32Array.from(y.dataSync()) };
  y.dispose();
  await tf.setBackend('depthwise');
  return result;
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  const scale = expected.reduce((max, v) => Math.max(max, Math.abs(v)), 1e-3);
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(1e-5 * scale);
}

// Deterministic values in [-1, 1).
function values(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

function tensor(shape: number[], seed: number): tf.Tensor {
  return tf.tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );
}

const options = fc.record({
  depthwise: fc.boolean(),
  batch: fc.integer({ min: 1, max: 2 }),
  // Large enough for the largest filter with dilation: tfjs itself fails on empty outputs.
  size: fc.tuple(fc.integer({ min: 7, max: 12 }), fc.integer({ min: 7, max: 12 })),
  channels: fc.integer({ min: 1, max: 9 }),
  last: fc.integer({ min: 1, max: 5 }),
  filter: fc.integer({ min: 1, max: 4 }),
  pad: fc.constantFrom<('same' | 'valid' | number | tf.backend_util.ExplicitPadding)[]>('same', 'valid', 0, 2, [
    [0, 0],
    [1, 2],
    [0, 3],
    [0, 0],
  ]),
  rounding: fc.constantFrom('floor', 'round', 'ceil', undefined),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  bias: fc.constantFrom('none', 'channels', 'scalar', 'pixels'),
  activation: fc.constantFrom<Activation>('linear', 'relu', 'relu6', 'elu', 'prelu', 'leakyrelu', 'sigmoid'),
});

test('every option gives what the CPU backend gives, by our kernels', async () => {
  await fc.assert(
    fc.asyncProperty(options, async (o) => {
      const dilation = o.stride > 1 ? 1 : o.dilation;
      const dimRoundingMode = typeof o.pad === 'string' ? undefined : o.rounding;
      const outChannels = o.depthwise ? o.channels * o.last : o.last;
      const run = (): tf.Tensor => {
        const x = tensor([o.batch, ...o.size, o.channels], 1) as tf.Tensor4D;
        const filter = tensor([o.filter, o.filter, o.channels, o.last], 2) as tf.Tensor4D;
        const common = {
          x,
          filter,
          strides: o.stride,
          pad: o.pad,
          dilations: [dilation, dilation] as [number, number],
          ...(dimRoundingMode && { dimRoundingMode }),
        };
        const conv = o.depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
        const out = conv(common as never).shape;
        const bias = { none: undefined, channels: [outChannels], scalar: [], pixels: [out[1]!, out[2]!, 1] }[o.bias];
        return conv({
          ...common,
          ...(bias && { bias: tensor(bias, 3) }),
          activation: o.activation,
          ...(o.activation === 'prelu' && { preluActivationWeights: tensor([outChannels], 4) }),
          leakyreluAlpha: 0.3,
        } as never);
      };
      const expected = await on('cpu', run);
      const actual = await on('depthwise', run);
      expect(actual.shape).toEqual(expected.shape);
      expectClose(actual.data, expected.data);
    }),
    { numRuns: 400 },
  );
  expect(kernelCalls.get('FusedConv2D')).toBeGreaterThan(50);
  expect(kernelCalls.get('FusedDepthwiseConv2D')).toBeGreaterThan(50);
});

describe('where the CPU backend is wrong', () => {
  test('depthwise NCHW equals NHWC', () => {
    const x = tensor([2, 6, 7, 3], 1) as tf.Tensor4D;
    const filter = tensor([3, 2, 3, 2], 2) as tf.Tensor4D;
    const nhwc = tf.depthwiseConv2d(x, filter, 2, 'same');
    const nchw = tf.depthwiseConv2d(tf.transpose(x, [0, 3, 1, 2]), filter, 2, 'same', 'NCHW');
    expectClose(tf.transpose(nchw, [0, 2, 3, 1]).dataSync() as Float32Array, nhwc.dataSync() as Float32Array);
  });

  test('a number as padding takes each axis by itself', () => {
    const x = tensor([1, 8, 9, 1], 1) as tf.Tensor4D;
    expect(tf.conv2d(x, tensor([3, 5, 1, 1], 2) as tf.Tensor4D, [2, 1], 1).shape).toEqual([1, 4, 7, 1]);
  });
});

test('conv2d NCHW with bias and prelu weights of rank 1', async () => {
  const run = (): tf.Tensor =>
    tf.fused.conv2d({
      x: tensor([2, 3, 6, 7], 1) as tf.Tensor4D,
      filter: tensor([3, 3, 3, 4], 2) as tf.Tensor4D,
      strides: 1,
      pad: 'same',
      dataFormat: 'NCHW',
      bias: tensor([4], 3),
      activation: 'prelu',
      preluActivationWeights: tensor([4], 4),
    });
  expectClose((await on('depthwise', run)).data, (await on('cpu', run)).data);
});

test('an empty output falls back on tfjs', async () => {
  const run = (): tf.Tensor => tf.conv2d(tensor([1, 2, 2, 1], 1) as tf.Tensor4D, tf.ones([3, 3, 1, 1]), 1, 'valid');
  expect((await on('depthwise', run)).shape).toEqual((await on('cpu', run)).shape);
});

describe('what tfjs refuses is refused in its own words', () => {
  const disposed = (shape: [number, number, number, number]): tf.Tensor4D => {
    const gone = tf.ones(shape) as tf.Tensor4D;
    gone.dispose();
    return gone;
  };
  const x = (): tf.Tensor4D => tf.ones([1, 4, 4, 3]);
  const f = (size: number, channels = 3): tf.Tensor4D => tf.ones([size, size, channels, 1]);
  test.each<[string, () => tf.Tensor]>([
    ['channels that differ', () => tf.conv2d(x(), f(3, 2), 1, 'same')],
    ['stride and dilation', () => tf.conv2d(x(), f(3), 2, 'same', 'NHWC', 2)],
    ['stride and dilation of depthwise', () => tf.depthwiseConv2d(x(), f(3), [1, 2], 'same', 'NHWC', [2, 1])],
    ['an unknown padding', () => tf.conv2d(x(), f(3), 1, 'SAME' as never)],
    ['no padding', () => tf.conv2d(x(), f(3), 1, undefined as never)],
    ['an unknown rounding', () => tf.conv2d(x(), f(3), 1, 1, 'NHWC', 1, 'up' as never)],
    ['an unknown format', () => tf.conv2d(tf.ones<tf.Rank.R4>([1, 3, 4, 3]), f(3), 1, 'same', 'NCWH' as never)],
    [
      'an activation that is ours alone',
      () => tf.fused.conv2d({ x: x(), filter: f(3), strides: 1, pad: 'same', activation: 'tanh' as never }),
    ],
    [
      'prelu without weights',
      () => tf.fused.depthwiseConv2d({ x: x(), filter: f(3), strides: 1, pad: 'same', activation: 'prelu' }),
    ],
    ['a stride of 0', () => tf.conv2d(x(), f(3), 0, 'same')],
    ['a stride that is no integer', () => tf.conv2d(x(), f(2), 1.5, 'valid')],
    [
      'a bias that does not fit',
      () => tf.fused.conv2d({ x: x(), filter: f(3), strides: 1, pad: 'same', bias: tf.ones([2]) }),
    ],
    ['a filter of rank 3', () => tf.depthwiseConv2d(x(), tf.ones([3, 3, 3]) as never, 1, 'same')],
    ['a disposed filter', () => tf.conv2d(x(), disposed([3, 3, 3, 1]), 1, 'same')],
    ['a disposed input', () => tf.depthwiseConv2d(disposed([1, 4, 4, 3]), f(3), 1, 'same')],
    ['int32', () => tf.conv2d(tf.cast(x(), 'int32') as tf.Tensor4D, f(3), 1, 'same')],
    ['a window larger than the input', () => tf.fused.conv2d({ x: x(), filter: f(7), strides: 1, pad: 'valid' })],
  ])('%s', async (_, run) => {
    const message = async (backend: string): Promise<string> => {
      try {
        return `no error, shape [${(await on(backend, run)).shape}]`;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await message('depthwise')).toBe(await message('cpu'));
  });
});

test('a filter assigned anew is packed anew; one that is disposed leaves nothing', () => {
  const x = tensor([1, 5, 5, 2], 1) as tf.Tensor4D;
  const filter = tf.variable(tensor([3, 3, 2, 2], 2));
  const first = tf.conv2d(x, filter as unknown as tf.Tensor4D, 1, 'same').dataSync();
  filter.assign(tf.mul(filter, -1));
  const second = tf.conv2d(x, filter as unknown as tf.Tensor4D, 1, 'same').dataSync();
  expect(Array.from(second)).toEqual(Array.from(first, (v) => -v));
});

test('memory is constant over many predictions', () => {
  const x = tensor([1, 8, 8, 4], 1) as tf.Tensor4D;
  const filter = tensor([3, 3, 4, 1], 2) as tf.Tensor4D;
  const predict = (): void => tf.tidy(() => void tf.relu(tf.depthwiseConv2d(x, filter, 1, 'same')).dataSync());
  predict();
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  for (let i = 0; i < 2000; i++) predict();
  expect(tf.memory()).toMatchObject({ numTensors, numBytes, numDataBuffers });
});

test('a small model learns', () => {
  const truth = tensor([3, 3, 2, 2], 5) as tf.Tensor4D;
  const x = tensor([4, 6, 6, 2], 6) as tf.Tensor4D;
  const target = tf.depthwiseConv2d(x, truth, 1, 'same');
  const filter = tf.variable(tf.zeros([3, 3, 2, 2]) as tf.Tensor4D);
  const loss = (): tf.Scalar => tf.mean(tf.square(tf.sub(tf.depthwiseConv2d(x, filter, 1, 'same'), target)));
  const before = loss().dataSync()[0]!;
  const optimizer = tf.train.adam(0.05);
  for (let step = 0; step < 60; step++) optimizer.minimize(loss);
  expect(loss().dataSync()[0]!).toBeLessThan(before / 100);
});
