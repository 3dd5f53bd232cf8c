// NaN, infinities and denormals: where float arithmetic goes wrong without anybody noticing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Conv2dOptions, conv2dSync, depthwiseConv2d, depthwiseConv2dSync } from '../../lib/index.js';
import { callSync } from '../call.js';
import { ACTIVATION_NAMES, activationOf, callOf, cases, numbersOf, randomNumbers, tensor } from '../cases.js';
import { expectWithin, reference } from '../reference.js';

const FORMATS = ['NHWC', 'NCHW'] as const;
const shapeIn = (format: (typeof FORMATS)[number], height: number, width: number, channels: number) =>
  format === 'NHWC' ? [1, height, width, channels] : [1, channels, height, width];

describe.each(FORMATS)('%s', (dataFormat) => {
  describe.each(ACTIVATION_NAMES)('through %s', (name) => {
    // Whole vectors and what is left over, along channels and along rows.
    test.each([1, 4, 7, 16, 23])('NaN and infinities of %i channels', (channels) => {
      const random = randomNumbers(channels);
      const input = tensor(shapeIn(dataFormat, 4, 37, channels), numbersOf('wide', random));
      for (let i = 0; i < input.data.length; i++) {
        if (random() < 0.2) input.data[i] = random() < 0.5 ? Number.NaN : random() < 0.5 ? -Infinity : Infinity;
      }
      const filter = tensor([1, 1, channels, 1], () => 0.75);
      const activation = activationOf(name, channels, random);
      const options: Conv2dOptions = { dataFormat, activation };
      const expected = reference('depthwiseConv2d', input, filter, options);
      expectWithin(depthwiseConv2dSync(input, filter, options), expected);
      expect(expected.output.some(Number.isNaN)).toBe(true);
    });
  });

  test.each(ACTIVATION_NAMES)('%s is right from the smallest to the largest number', (name) => {
    // Up and down by steps of 1 %, which crosses every limit where an approximation saturates or changes its formula.
    const magnitudes = Array.from({ length: 20_000 }, (_, i) => 2 ** -149 * 1.01 ** i).filter((x) => x < 3.4e38);
    const data = Float32Array.from([0, ...magnitudes].flatMap((x) => [x, -x]));
    const input = { data, shape: shapeIn(dataFormat, 2, data.length / 2, 1) };
    const filter = { data: Float32Array.of(1), shape: [1, 1, 1, 1] };
    const options: Conv2dOptions = { dataFormat, activation: activationOf(name, 1, () => 0.5) };
    const result = depthwiseConv2dSync(input, filter, options);
    expectWithin(result, reference('depthwiseConv2d', input, filter, options));
  });

  test.each([Infinity, -Infinity, Number.NaN])('a weight of %d over padding leaves finite results', (weight) => {
    for (const [channels, size] of [
      [1, 3],
      [3, 3],
      [8, 3],
      [17, 5],
      [32, 7],
    ] as const) {
      const next = numbersOf('uniform', randomNumbers(size));
      const input = tensor(shapeIn(dataFormat, 6, 9, channels), next);
      const filter = tensor([size, size, channels, 1], next);
      filter.data.fill(weight, 0, channels); // the top left tap: over padding in the first row and the first column
      const options: Conv2dOptions = { dataFormat, padding: 'same' };
      const result = depthwiseConv2dSync(input, filter, options);
      const expected = reference('depthwiseConv2d', input, filter, options);
      expectWithin(result, expected);
      expect(result.data.filter(Number.isFinite).length).toBeGreaterThanOrEqual(channels * (6 + 9 - 1));
    }
  });

  test.each([Infinity, Number.NaN])('a weight of %d over padding leaves finite results in groups', (weight) => {
    for (const [groups, inPerGroup, outPerGroup] of [
      [1, 3, 8],
      [1, 32, 17],
      [2, 4, 4],
      [3, 16, 5],
    ] as const) {
      const next = numbersOf('uniform', randomNumbers(groups));
      const input = tensor(shapeIn(dataFormat, 6, 9, groups * inPerGroup), next);
      const filter = tensor([3, 3, inPerGroup, groups * outPerGroup], next);
      filter.data.fill(weight, 0, inPerGroup * groups * outPerGroup);
      const options: Conv2dOptions = { dataFormat, groups, padding: 'same' };
      const result = conv2dSync(input, filter, options);
      expectWithin(result, reference('conv2d', input, filter, options));
      expect(result.data.filter(Number.isFinite).length).toBe(groups * outPerGroup * (6 + 9 - 1));
    }
  });

  test('denormals are neither flushed nor taken for zero, on any thread', async () => {
    const channels = 24;
    const smallest = 2 ** -149;
    const random = randomNumbers(5);
    const input = tensor(shapeIn(dataFormat, 64, 96, channels), () => smallest * Math.floor(1000 * random()));
    const filter = tensor([3, 3, channels, 1], () => Math.floor(5 * random()) - 2);
    const options: Conv2dOptions = { dataFormat, padding: 'same' };
    const { output } = reference('depthwiseConv2d', input, filter, options);
    const exact = Float32Array.from(output);
    expect(exact.some((value) => value !== 0 && Math.abs(value) < 2 ** -126)).toBe(true);
    expect(depthwiseConv2dSync(input, filter, options).data).toEqual(exact);
    expect((await depthwiseConv2d(input, filter, options)).data).toEqual(exact);
  });
});

test('normal inputs and weights have denormal products', () => {
  const input = { data: new Float32Array(40).fill(2 ** -70), shape: [1, 40, 1] };
  const filter = { data: Float32Array.of(3 * 2 ** -78), shape: [1, 1, 1, 1] };
  expect(new Set(depthwiseConv2dSync(input, filter).data)).toEqual(new Set([3 * 2 ** -148]));
});

test('NaN and infinities come out where random convolutions should have them', () => {
  fc.assert(
    fc.property(cases(20_000), (made) => {
      const call = callOf({ ...made, numbers: 'uniform' });
      const random = randomNumbers(made.seed + 1);
      for (const { data } of [call.input, call.filter]) {
        for (let i = 0; i < data.length; i++) {
          if (random() < 0.02) data[i] = [Number.NaN, Infinity, -Infinity][Math.floor(3 * random())]!;
        }
      }
      expectWithin(callSync(call), reference(call.operator, call.input, call.filter, call.options));
    }),
    { numRuns: 700 },
  );
});
