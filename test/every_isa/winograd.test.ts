// algorithm: 'winograd': within its own error bound, and otherwise all that the direct kernels are.
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Conv2d,
  type Conv2dOptions,
  conv2d,
  conv2dSync,
  getThreads,
  setThreads,
  type Tensor,
} from '../../lib/index.js';
import { expectSameBits } from '../call.js';
import { ACTIVATION_NAMES, type ActivationName, activationOf, numbersOf, randomNumbers, tensor } from '../cases.js';
import { expectWithin, reference } from '../reference.js';

const threads = getThreads();
afterEach(() => setThreads(threads));

const RUNS = 24;

interface Case {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly groups: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly padding: 'same' | 'valid' | readonly [readonly [number, number], readonly [number, number]];
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly filterFormat: 'HWIO' | 'OIHW';
  readonly bias: boolean;
  readonly activation: ActivationName;
  readonly numbers: 'uniform' | 'wide' | 'denormal';
  readonly seed: number;
}

const side = fc.integer({ min: 0, max: 5 });
const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 6, max: 23 }),
  width: fc.integer({ min: 6, max: 37 }),
  groups: fc.integer({ min: 1, max: 2 }),
  inPerGroup: fc.constantFrom(16, 17, 24, 31, 32, 33),
  outPerGroup: fc.constantFrom(16, 19, 24, 32, 40, 49),
  padding: fc.oneof(
    fc.constantFrom<Case['padding']>('same', 'valid'),
    fc.tuple(fc.tuple(side, side), fc.tuple(side, side)),
  ),
  dataFormat: fc.constantFrom('NHWC' as const, 'NCHW' as const),
  filterFormat: fc.constantFrom('HWIO' as const, 'OIHW' as const),
  bias: fc.boolean(),
  activation: fc.constantFrom(...ACTIVATION_NAMES),
  numbers: fc.constantFrom<Case['numbers']>('uniform', 'uniform', 'wide', 'denormal'),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

interface Call {
  readonly input: Tensor;
  readonly filter: Tensor;
  readonly options: Conv2dOptions;
}

function callOf(made: Case): Call {
  const { batch, groups, inPerGroup, outPerGroup, padding, dataFormat, filterFormat } = made;
  const random = randomNumbers(made.seed);
  const next = numbersOf(made.numbers, random);
  const [height, width] = [made.height, made.width].map((size) => (padding === 'same' ? size : Math.max(size, 3)));
  const [inChannels, outChannels] = [groups * inPerGroup, groups * outPerGroup];
  const shape = filterFormat === 'HWIO' ? [3, 3, inPerGroup, outChannels] : [outChannels, inPerGroup, 3, 3];
  return {
    input: tensor(
      dataFormat === 'NHWC' ? [batch, height!, width!, inChannels] : [batch, inChannels, height!, width!],
      next,
    ),
    filter: tensor(shape, made.numbers === 'denormal' ? numbersOf('uniform', random) : next),
    options: {
      algorithm: 'winograd',
      groups,
      padding,
      dataFormat,
      filterFormat,
      ...(made.bias ? { bias: tensor([outChannels], next) } : {}),
      activation: activationOf(made.activation, outChannels, random),
    },
  };
}

const kernelOf = ({ input, filter, options }: Call) => new Conv2d(filter, options).explain(input.shape).kernel;

test('random convolutions are within the documented bound, in every way to call them, on any number of threads', async () => {
  let transformed = 0;
  await fc.assert(
    fc.asyncProperty(cases, async (made) => {
      const { input, filter, options } = callOf(made);
      if (kernelOf({ input, filter, options }) === 'winograd') transformed++;
      setThreads(1);
      const result = conv2dSync(input, filter, options);
      expectWithin(result, reference('conv2d', input, filter, options));
      for (const count of [2, 5]) {
        setThreads(count);
        expectSameBits(conv2dSync(input, filter, options), result, `conv2dSync on ${count} threads`);
        expectSameBits(await conv2d(input, filter, options), result, `conv2d on ${count} threads`);
      }
      expectSameBits(new Conv2d(filter, options).runSync(input), result, 'the layer');
    }),
    { numRuns: RUNS, unbiased: true },
  );
  expect(transformed).toBeGreaterThan(0);
});

test('NaN, infinities and numbers too large for the transforms come out where the direct kernels have them', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom('input', 'filter'), (made, where) => {
      const { input, filter, options } = callOf({ ...made, numbers: 'uniform' });
      const { data } = where === 'input' ? input : filter;
      const random = randomNumbers(made.seed + 1);
      for (let i = 0; i < 3; i++) {
        const special = [Number.NaN, Infinity, -Infinity, 1e37, -1e30];
        data[Math.floor(data.length * random())] = special[Math.floor(special.length * random())]!;
      }
      expectWithin(conv2dSync(input, filter, options), reference('conv2d', input, filter, options));
    }),
    { numRuns: RUNS },
  );
});

describe.each(['NHWC', 'NCHW'] as const)('%s', (dataFormat) => {
  const shapeOf = (height: number, width: number, channels: number) =>
    dataFormat === 'NHWC' ? [height, width, channels] : [channels, height, width];
  const next = numbersOf('uniform', randomNumbers(7));
  const filter = tensor([3, 3, 32, 48], next);
  const input = tensor(shapeOf(28, 30, 32), next);
  const asked: Conv2dOptions = { dataFormat, padding: 'same', algorithm: 'winograd' };

  test('a weight that is not finite leaves finite results over padding', () => {
    const broken = { data: filter.data.slice(), shape: filter.shape };
    broken.data[0] = Infinity; // the top left tap of the first output
    expect(kernelOf({ input, filter: broken, options: asked })).toBe('winograd');
    const result = conv2dSync(input, broken, asked);
    expectWithin(result, reference('conv2d', input, broken, asked));
    expect(result.data.filter(Number.isFinite).length).toBe(28 * 30 * 47 + 28 + 30 - 1);
  });

  test('runs where it was asked for and fits, and the direct kernels run silently otherwise', () => {
    const kernel = (options: Conv2dOptions, shape = [3, 3, 32, 48], of = input) =>
      kernelOf({ input: of, filter: tensor(shape, next), options: { ...asked, ...options } });
    const direct = kernel({ algorithm: 'direct' });
    expect(direct).not.toBe('winograd');
    expect(kernel({})).toBe('winograd');
    expect(kernel({ algorithm: undefined })).toBe(direct);
    expect(kernel({ strides: [1, 2] })).not.toBe('winograd');
    expect(kernel({ dilations: [2, 1] })).not.toBe('winograd');
    expect(kernel({}, [5, 3, 32, 48])).not.toBe('winograd');
    expect(kernel({ groups: 4 }, [3, 3, 8, 48])).not.toBe('winograd');
    expect(kernel({}, [3, 3, 32, 48], tensor(shapeOf(3, 3, 32), next))).not.toBe('winograd');
  });

  test('where it does not fit, the bits are those of the direct kernels', () => {
    const options: Conv2dOptions = { dataFormat, strides: 2, padding: 'same' };
    const expected = conv2dSync(input, filter, options);
    expectSameBits(conv2dSync(input, filter, { ...options, algorithm: 'winograd' }), expected, 'with winograd');
  });

  test('the default is direct', () => {
    const options: Conv2dOptions = { dataFormat, padding: 'same' };
    expectSameBits(
      conv2dSync(input, filter, { ...options, algorithm: 'direct' }),
      conv2dSync(input, filter, options),
      "with 'direct'",
    );
  });
});
