// The number of threads changes the time, never a bit.
import { afterEach, describe, expect, test } from 'vitest';
import { Conv2d, type Conv2dOptions, DepthwiseConv2d, getThreads, setThreads, type Tensor } from '../../lib/index.js';
import { expectSameBits } from '../call.js';
import { numbersOf, randomNumbers, tensor } from '../cases.js';

const threads = getThreads();
afterEach(() => setThreads(threads));

interface Sample {
  readonly name: string;
  readonly layer: (options: Conv2dOptions) => Conv2d | DepthwiseConv2d;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const next = numbersOf('uniform', randomNumbers(11));
const depthwise = (shape: number[], options: Conv2dOptions = {}) => {
  const filter = tensor(shape, next);
  return (common: Conv2dOptions) => new DepthwiseConv2d(filter, { ...options, ...common });
};
const dense = (shape: number[], options: Conv2dOptions = {}) => {
  const filter = tensor(shape, next);
  return (common: Conv2dOptions) => new Conv2d(filter, { ...options, ...common });
};

const SAMPLES: readonly Sample[] = [
  { name: '3x3', layer: depthwise([3, 3, 67, 1]), height: 57, width: 61, channels: 67 },
  { name: '5x5, stride 2', layer: depthwise([5, 5, 40, 1], { strides: 2 }), height: 63, width: 64, channels: 40 },
  { name: '7x7', layer: depthwise([7, 7, 33, 1]), height: 31, width: 56, channels: 33 },
  { name: '3x3, dilation 3', layer: depthwise([3, 3, 48, 1], { dilations: 3 }), height: 57, width: 50, channels: 48 },
  { name: 'multiplier 2 of RGB', layer: depthwise([3, 3, 3, 2]), height: 250, width: 301, channels: 3 },
  { name: 'one channel, 9x9', layer: depthwise([9, 9, 1, 1]), height: 250, width: 301, channels: 1 },
  { name: 'groups of 4', layer: dense([3, 3, 4, 64], { groups: 16 }), height: 29, width: 31, channels: 64 },
  { name: 'fewer outputs than inputs', layer: dense([3, 3, 8, 6], { groups: 2 }), height: 57, width: 50, channels: 16 },
  { name: 'groups = 1', layer: dense([3, 3, 19, 37]), height: 29, width: 31, channels: 19 },
  { name: '1x1', layer: dense([1, 1, 64, 96]), height: 29, width: 31, channels: 64 },
];

describe.each(['NHWC', 'NCHW'] as const)('%s', (dataFormat) => {
  test.each(SAMPLES)(
    '$name: the same bits on 1, 2, 3, 8 and 33 threads',
    async ({ layer, height, width, channels }) => {
      const shape = dataFormat === 'NHWC' ? [2, height, width, channels] : [2, channels, height, width];
      const input = tensor(shape, next);
      const made = layer({ dataFormat, padding: 'same', activation: 'silu' });
      setThreads(1);
      const expected = made.runSync(input);
      for (const count of [2, 3, 8, 33]) {
        setThreads(count);
        expect(getThreads()).toBe(count);
        expectSameBits(made.runSync(input), expected, `runSync on ${count} threads`);
        expectSameBits(await made.run(input), expected, `run on ${count} threads`);
      }
    },
  );
});

test('many calls at once, on changing numbers of threads, do not disturb each other', async () => {
  const { layer, height, width, channels } = SAMPLES[0]!;
  const made = layer({ padding: 'same' });
  const inputs = Array.from({ length: 12 }, () => tensor([height, width, channels], next));
  const expected = inputs.map((input) => made.runSync(input));
  const pending: Promise<Tensor>[] = [];
  for (const [i, input] of inputs.entries()) {
    setThreads(1 + (i % 4));
    pending.push(made.run(input));
    expectSameBits(made.runSync(input), expected[i]!, `runSync ${i} while others run`);
  }
  for (const [i, result] of (await Promise.all(pending)).entries()) expectSameBits(result, expected[i]!, `run ${i}`);
});
