// A second oracle that shares nothing with ours: TensorFlow.js on its CPU backend, where it is right, which is NHWC
// without groups and with stride or dilation 1.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Padding } from '../../lib/index.js';
import { callSync } from '../call.js';
import { type Call, type Case, callOf, cases } from '../cases.js';

beforeAll(() => tf.setBackend('cpu'));

const isUnit = ([height, width]: readonly number[]) => height === 1 && width === 1;

const understood = cases(20_000)
  .map((made): Case => {
    const common = {
      ...made,
      dataFormat: 'NHWC',
      filterFormat: 'HWIO',
      activation: 'linear',
      numbers: 'integers',
    } as const;
    const padding = made.padding === 'same-lower' ? 'same' : made.padding;
    const ungrouped = made.operator === 'conv2d' ? { groups: 1 } : {};
    return { ...common, ...ungrouped, padding };
  })
  .filter(({ strides, dilations, batch }) => batch > 0 && (isUnit(strides) || isUnit(dilations)));

test('integers come out exactly as TensorFlow.js computes them', () => {
  fc.assert(
    fc.property(understood, (made) => {
      const call = callOf(made);
      const result = callSync(call);
      const expected = tf.tidy(() => {
        const output = computedByTensorFlow(call, made);
        return { data: output.dataSync().slice(), shape: output.shape };
      });
      expect(result.shape).toEqual(expected.shape);
      expect(result.data).toEqual(expected.data);
    }),
    { numRuns: 500 },
  );
});

function computedByTensorFlow({ operator, input, filter, options }: Call, made: Case): tf.Tensor {
  const convolve = operator === 'conv2d' ? tf.conv2d : tf.depthwiseConv2d;
  const output = convolve(
    tf.tensor4d(input.data, input.shape.length === 4 ? (input.shape as Four) : [1, ...(input.shape as Three)]),
    tf.tensor4d(filter.data, filter.shape as Four),
    [...made.strides],
    paddingOf(made.padding),
    'NHWC',
    [...made.dilations],
  );
  const { bias } = options;
  const sum = bias === undefined ? output : tf.add(output, tf.tensor1d('data' in bias ? bias.data : bias));
  return input.shape.length === 4 ? sum : tf.squeeze(sum, [0]);
}

type Three = [number, number, number];
type Four = [number, number, number, number];

// A number alone is the filter's height's affair in tfjs, whatever the width: always four pairs.
function paddingOf(padding: Padding): 'same' | 'valid' | [[0, 0], [number, number], [number, number], [0, 0]] {
  if (padding === 'same' || padding === 'valid') return padding;
  if (typeof padding === 'string') throw new Error(`tfjs has no '${padding}'`);
  const [height, width] = [0, 1].map((axis): [number, number] => {
    const ofAxis = typeof padding === 'number' ? padding : padding[axis]!;
    return typeof ofAxis === 'number' ? [ofAxis, ofAxis] : [ofAxis[0], ofAxis[1]];
  }) as [[number, number], [number, number]];
  return [[0, 0], height, width, [0, 0]];
}
