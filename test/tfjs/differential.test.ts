import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { fallbackCalls, groupedConv2d, kernelCalls } from '../../lib/tfjs/index.js';
import { reference } from '../reference.js';
import { randomSource } from './networks.js';

// Random convolutions with every option of tfjs against float64, where tfjs's CPU backend would be no judge: it is wrong
// on depthwise NCHW and on a number as padding of a filter that isn't square.

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

type Pair = [number, number];
type Format = 'NHWC' | 'NCHW';
type Kind = 'conv2d' | 'depthwise' | 'grouped';

const small = (max: number, min = 1) => fc.integer({ min, max });
const pair = (max: number, min = 1) => fc.tuple(small(max, min), small(max, min));

const problems = fc.record({
  kind: fc.constantFrom<Kind>('conv2d', 'depthwise', 'grouped'),
  format: fc.constantFrom<Format>('NHWC', 'NCHW'),
  rank: fc.constantFrom(3, 4),
  batch: small(3),
  // Large enough for every window: tfjs fails on empty outputs.
  size: pair(12, 7),
  groups: small(4),
  perGroup: small(5),
  outPerGroup: small(5),
  filter: pair(4),
  pad: fc.oneof(
    fc.constantFrom<('same' | 'valid')[]>('same', 'valid'),
    small(3, 0),
    fc.tuple(pair(3, 0), pair(3, 0)).map(([rows, columns]) => ({ rows, columns })),
  ),
  rounding: fc.constantFrom('floor', 'round', 'ceil', undefined),
  stride: pair(3),
  dilation: pair(2),
  // Either strides or dilations must be 1.
  dilated: fc.boolean(),
});

type Problem = typeof problems extends fc.Arbitrary<infer T> ? T : never;

interface Case {
  x: tf.Tensor4D;
  filter: tf.Tensor4D;
  strides: Pair;
  dilations: Pair;
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  rounding: 'floor' | 'round' | 'ceil' | undefined;
  groups: number;
  expected: { shape: number[]; output: Float64Array };
}

function tensor(shape: number[], seed: number): tf.Tensor {
  const random = randomSource(seed);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, random), shape);
}

const plain = (t: tf.Tensor) => ({ data: t.dataSync() as Float32Array, shape: t.shape });

function make(p: Problem): Case {
  const { kind, format, rank, batch, size, perGroup, outPerGroup, dilated } = p;
  const strides: Pair = dilated ? [1, 1] : p.stride;
  const dilations: Pair = dilated ? p.dilation : [1, 1];
  const groups = kind === 'conv2d' ? 1 : p.groups;
  const channels = kind === 'depthwise' ? groups : groups * perGroup;
  const image = format === 'NHWC' ? [...size, channels] : [channels, ...size];
  const x = tensor(rank === 4 ? [batch, ...image] : image, 1) as tf.Tensor4D;
  const filterShape = kind === 'depthwise' ? [channels, outPerGroup] : [perGroup, groups * outPerGroup];
  const filter = tensor([...p.filter, ...filterShape], 2) as tf.Tensor4D;

  const rounding = typeof p.pad === 'string' ? undefined : p.rounding;
  const padding = [0, 1].map((i): Pair => {
    const extent = (p.filter[i]! - 1) * dilations[i]! + 1;
    const { pad } = p;
    if (pad === 'same') {
      const total = Math.max(0, (Math.ceil(size[i]! / strides[i]!) - 1) * strides[i]! + extent - size[i]!);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    }
    const [before, after] =
      pad === 'valid' ? [0, 0] : typeof pad === 'number' ? [pad, pad] : i === 0 ? pad.rows : pad.columns;
    const out = Math[rounding ?? 'trunc']((size[i]! + before + after - extent) / strides[i]! + 1);
    return [before, Math.max(0, (out - 1) * strides[i]! + extent - size[i]! - before)];
  }) as [Pair, Pair];
  const none: Pair = [0, 0];
  const pad =
    typeof p.pad !== 'object'
      ? p.pad
      : ((format === 'NHWC'
          ? [none, p.pad.rows, p.pad.columns, none]
          : [none, none, p.pad.rows, p.pad.columns]) as tf.backend_util.ExplicitPadding);
  const options = { strides, dilations, padding, dataFormat: format };
  const expected =
    kind === 'depthwise'
      ? reference('depthwiseConv2d', plain(x), plain(filter), options)
      : reference('conv2d', plain(x), plain(filter), { ...options, groups });
  return { x, filter, strides, dilations, pad, rounding, groups, expected };
}

function expectClose(actual: tf.Tensor, shape: number[], expected: ArrayLike<number>): void {
  expect(actual.shape).toEqual(shape);
  const values = actual.dataSync();
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  let error = 0;
  for (let i = 0; i < values.length; i++) error = Math.max(error, Math.abs(values[i]! - expected[i]!));
  expect(error / scale).toBeLessThan(2e-6);
}

test('convolutions with every option', () => {
  const before = new Map(fallbackCalls);
  fc.assert(
    fc.property(problems, (p) => {
      tf.tidy(() => {
        const { x, filter, strides, dilations, pad, rounding, groups, expected } = make(p);
        const y =
          p.kind === 'grouped'
            ? groupedConv2d(x, filter, strides, pad, groups, p.format, dilations, rounding)
            : (p.kind === 'conv2d' ? tf.conv2d : tf.depthwiseConv2d)(
                ...([x, filter, strides, pad, p.format, dilations, rounding] as const),
              );
        expectClose(y, expected.shape, expected.output);
      });
    }),
    { numRuns: 600 },
  );
  expect(new Map(fallbackCalls)).toEqual(before);
});

// Which of an output's axes a bias or prelu weights have; in NCHW those of rank 1 go with the channels.
const SHAPES = {
  NHWC: [[], ['one'], ['c'], ['one', 'c'], ['one', 'one', 'c'], ['h', 'w', 'c'], ['h', 'one', 'one'], ['w', 'c']],
  NCHW: [[], ['one'], ['c'], ['c', 'one', 'one'], ['c', 'h', 'w'], ['one', 'h', 'w']],
} as const;

const ACTIVATIONS: Record<string, (x: number, alpha: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x >= 0 ? x : Math.expm1(x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leakyrelu: (x) => (x >= 0 ? x : 0.3 * x),
  prelu: (x, alpha) => (x >= 0 ? x : alpha * x),
};

test('fused convolutions: every activation, bias and prelu weights of every shape', () => {
  const counted = (name: string) => kernelCalls.get(name) ?? 0;
  const before = counted('FusedConv2D') + counted('FusedDepthwiseConv2D');
  const extras = fc.record({
    activation: fc.constantFrom(...Object.keys(ACTIVATIONS)),
    bias: fc.option(fc.nat()),
    alpha: fc.nat(),
  });
  fc.assert(
    fc.property(problems, extras, (p, { activation, bias: biasShape, alpha: alphaShape }) => {
      tf.tidy(() => {
        const kind = p.kind === 'grouped' ? 'conv2d' : p.kind;
        const { x, filter, strides, dilations, pad, rounding, expected } = make({ ...p, kind, rank: 4 });
        const { format } = p;
        const [h, w, c] = (format === 'NHWC' ? [1, 2, 3] : [2, 3, 1]).map((axis) => expected.shape[axis]!) as [
          number,
          number,
          number,
        ];
        const sizes = { one: 1, h, w, c };
        const broadcast = (index: number, seed: number) => {
          const names = SHAPES[format][index % SHAPES[format].length]!;
          const info = tensor(
            names.map((name) => sizes[name]),
            seed,
          );
          const values = info.dataSync();
          const axes = names.length === 1 && format === 'NCHW' ? [...names, 'one', 'one'] : names;
          const at = (n: { h: number; w: number; c: number }): number =>
            values[axes.reduce((i, name) => i * sizes[name as 'h'] + (name === 'one' ? 0 : n[name as 'h']), 0)]!;
          return { info, at };
        };
        const bias = biasShape === null ? undefined : broadcast(biasShape, 3);
        const alpha = activation === 'prelu' ? broadcast(alphaShape, 4) : undefined;
        const exact = Float64Array.from(expected.output, (value, i) => {
          const n =
            format === 'NHWC'
              ? { c: i % c, w: Math.floor(i / c) % w, h: Math.floor(i / c / w) % h }
              : { w: i % w, h: Math.floor(i / w) % h, c: Math.floor(i / w / h) % c };
          return ACTIVATIONS[activation]!(value + (bias?.at(n) ?? 0), alpha?.at(n) ?? 0);
        });
        // By the kernel: tfjs's operators check NCHW as if it were NHWC, and refuse some of these shapes.
        const inputs = {
          ...{ x, filter },
          ...(bias && { bias: bias.info }),
          ...(alpha && { preluActivationWeights: alpha.info }),
        };
        const attrs = {
          ...{ strides, pad, dataFormat: format, dilations, activation, leakyreluAlpha: 0.3 },
          ...(rounding && { dimRoundingMode: rounding }),
        };
        const name = kind === 'conv2d' ? 'FusedConv2D' : 'FusedDepthwiseConv2D';
        const y = tf.engine().runKernel(name, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor;
        expectClose(y, expected.shape, exact);
      });
    }),
    { numRuns: 800 },
  );
  expect(counted('FusedConv2D') + counted('FusedDepthwiseConv2D') - before).toBeGreaterThan(400);
});

test('gradients with a number as padding and filters that are not square', () => {
  fc.assert(
    fc.property(problems, small(3, 0), (p, pad) => {
      tf.tidy(() => {
        const kind = p.kind === 'grouped' ? 'conv2d' : p.kind;
        const { x, filter, strides } = make({ ...p, kind, rank: 4, format: 'NHWC', dilated: false, pad });
        const conv = kind === 'conv2d' ? tf.conv2d : tf.depthwiseConv2d;
        const both: Pair = [pad, pad];
        const gradients = (padding: number | tf.backend_util.ExplicitPadding) =>
          tf.grads((a, b) => tf.sum(tf.square(conv(a as tf.Tensor4D, b as tf.Tensor4D, strides, padding))))([
            x,
            filter,
          ]);
        const expected = gradients([[0, 0], both, both, [0, 0]]);
        for (const [i, gradient] of gradients(pad).entries()) {
          expectClose(gradient, expected[i]!.shape, expected[i]!.dataSync());
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('cropping (negative padding) is right in both formats', () => {
  const crop: Pair = [-1, -2];
  const x = tensor([2, 9, 8, 3], 1) as tf.Tensor4D;
  const filter = tensor([3, 2, 3, 2], 2) as tf.Tensor4D;
  const cropped = tf.slice(x, [0, 1, 1, 0], [2, 6, 5, 3]);
  for (const conv of [tf.conv2d, tf.depthwiseConv2d]) {
    const expected = conv(cropped, filter, 1, 'valid');
    const nhwc = conv(x, filter, 1, [[0, 0], crop, crop, [0, 0]]);
    expectClose(nhwc, expected.shape, expected.dataSync());
    const nchw = conv(tf.transpose(x, [0, 3, 1, 2]), filter, 1, [[0, 0], [0, 0], crop, crop], 'NCHW');
    expectClose(tf.transpose(nchw, [0, 2, 3, 1]), expected.shape, expected.dataSync());
  }
});

test('the gradient of a grouped convolution is its difference quotient', () => {
  fc.assert(
    fc.property(problems, (p) => {
      tf.tidy(() => {
        const { x, filter, strides, pad, rounding, groups, expected } = make({ ...p, kind: 'grouped', dilated: false });
        const dy = tensor(expected.shape, 5);
        const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
          tf.sum(
            tf.mul(groupedConv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad, groups, p.format, 1, rounding), dy),
          );
        const gradients = tf.grads(loss as (...args: tf.Tensor[]) => tf.Scalar)([x, filter]);
        // Linear in each: the quotient is exact but for rounding, whatever the step.
        for (const [i, gradient] of gradients.entries()) {
          const direction = tensor(gradient.shape, 6 + i);
          const moved = [x, filter].map((t, j) => (i === j ? tf.add(t, direction) : t)) as [tf.Tensor, tf.Tensor];
          const quotient = loss(...moved).dataSync()[0]! - loss(x, filter).dataSync()[0]!;
          const product = tf.sum(tf.mul(gradient, direction)).dataSync()[0]!;
          const scale =
            tf.sum(tf.abs(tf.mul(gradient, direction))).dataSync()[0]! + Math.abs(loss(x, filter).dataSync()[0]!);
          expect(Math.abs(quotient - product) / Math.max(scale, 1)).toBeLessThan(1e-4);
        }
      });
    }),
    { numRuns: 60 },
  );
});
