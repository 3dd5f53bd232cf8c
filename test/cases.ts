// Random convolutions over the whole option matrix. A case is a handful of small values, which fast-check shrinks and
// prints; its numbers follow from them.
import fc from 'fast-check';
import type { Activation, Conv2dOptions, Padding, Tensor } from '../lib/index.js';
import type { OperatorName } from './reference.js';

type Pair = readonly [number, number];

/**
 * - uniform: in [-1, 1); integers: so small that float32 sums of their products are exact;
 * - wide: signs and magnitudes from 2^-40 to 2^40, zeros of both signs between;
 * - denormal: inputs, products and sums below the smallest normal number.
 */
export type Numbers = 'uniform' | 'integers' | 'wide' | 'denormal';

export interface Case {
  readonly operator: OperatorName;
  readonly batch: number;
  /** Whether the input has a batch dimension. */
  readonly rank: 3 | 4;
  readonly height: number;
  readonly width: number;
  readonly groups: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  readonly filter: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly filterFormat: 'HWIO' | 'OIHW';
  readonly bias: 'none' | 'array' | 'tensor';
  readonly activation: ActivationName;
  readonly numbers: Numbers;
  readonly seed: number;
}

export interface Call {
  readonly operator: OperatorName;
  readonly input: Tensor;
  readonly filter: Tensor;
  readonly options: Conv2dOptions;
}

const ACTIVATIONS = {
  linear: 'linear',
  relu: 'relu',
  relu6: { type: 'relu6' },
  elu: 'elu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  silu: { type: 'silu' },
  hardSwish: 'hardSwish',
  hardSigmoid: 'hardSigmoid',
  gelu: 'gelu',
  leakyRelu: { type: 'leakyRelu', alpha: 0.1 },
  'leakyRelu, falling': { type: 'leakyRelu', alpha: -0.5 },
  'leakyRelu, steep': { type: 'leakyRelu', alpha: 3 },
  prelu: 'prelu',
  clip: { type: 'clip', min: -0.75, max: 0.1 },
  'clip to one value': { type: 'clip', min: 0.3, max: 0.3 },
  'clip above': { type: 'clip', min: -Infinity, max: 0.25 },
  'clip below': { type: 'clip', min: -0.1, max: Infinity },
} as const;
export type ActivationName = keyof typeof ACTIVATIONS;
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** The named activation; prelu gets a slope for each of `channels`. */
export function activationOf(name: ActivationName, channels: number, random: () => number): Activation {
  const activation = ACTIVATIONS[name];
  if (activation !== 'prelu') return activation;
  return { type: 'prelu', alpha: Float32Array.from({ length: channels }, () => 4 * random() - 1.5) };
}

// Around the widths of vectors and register tiles; fast-check tries and shrinks to the small ones first.
const AROUND_TILES = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33, 47, 48, 49, 63, 64, 65,
];
const tileEdge = (most: number) => fc.constantFrom(...AROUND_TILES.filter((size) => size <= most));
const upTo = (most: number) => fc.integer({ min: 1, max: most });
const pairOf = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value);

const extent = fc.oneof({ weight: 3, arbitrary: upTo(9) }, { weight: 2, arbitrary: tileEdge(65) });
const filterSize = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Pair>([1, 1], [3, 3], [5, 5], [7, 7]) },
  { weight: 2, arbitrary: pairOf(upTo(7)) },
  { weight: 1, arbitrary: fc.constantFrom<Pair>([1, 11], [9, 1], [2, 2], [9, 9], [1, 31]) },
);
const step = (...rare: number[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Pair>([1, 1], [2, 2]) },
    { weight: 1, arbitrary: pairOf(fc.constantFrom(1, 2, 3, ...rare)) },
  );
const padding: fc.Arbitrary<Padding> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Padding>('same', 'same-lower', 'valid') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 1, arbitrary: pairOf(fc.integer({ min: 0, max: 4 })) },
  { weight: 2, arbitrary: pairOf(pairOf(fc.integer({ min: 0, max: 9 }))) },
);
const channels: fc.Arbitrary<Pick<Case, 'operator' | 'groups' | 'inPerGroup' | 'outPerGroup'>> = fc.oneof(
  fc.record({
    operator: fc.constant('depthwiseConv2d' as const),
    groups: fc.oneof(upTo(9), tileEdge(65)),
    inPerGroup: fc.constant(1),
    outPerGroup: fc.oneof(fc.constantFrom(1, 1, 1, 2, 3, 4), tileEdge(17)),
  }),
  fc.record({
    operator: fc.constant('conv2d' as const),
    groups: fc.oneof(upTo(4), fc.constantFrom(8, 16, 32)),
    inPerGroup: fc.oneof(upTo(5), tileEdge(33)),
    outPerGroup: fc.oneof(upTo(5), tileEdge(33)),
  }),
);

/** Cases that the reference computes in some milliseconds: at most `work` multiplications. */
export function cases(work = 60_000): fc.Arbitrary<Case> {
  return fc
    .record({
      batch: fc.oneof({ weight: 9, arbitrary: upTo(3) }, { weight: 1, arbitrary: fc.constant(0) }),
      rank: fc.constantFrom<3 | 4>(4, 4, 3),
      height: extent,
      width: extent,
      channels,
      filter: filterSize,
      strides: step(5, 7, 11),
      dilations: step(4, 5),
      padding,
      dataFormat: fc.constantFrom('NHWC' as const, 'NCHW' as const),
      filterFormat: fc.constantFrom('HWIO' as const, 'OIHW' as const),
      bias: fc.constantFrom('none' as const, 'array' as const, 'tensor' as const),
      activation: fc.constantFrom(...ACTIVATION_NAMES),
      numbers: fc.constantFrom<Numbers>('uniform', 'uniform', 'integers', 'integers', 'wide', 'denormal'),
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
    })
    .map(({ channels, ...rest }) => legal({ ...rest, ...channels }))
    .filter((made) => multiplications(made) <= work && inputLength(made) <= work);
}

/** The case with an input large enough for its filter, and a batch of 1 where the rank leaves none. */
function legal(made: Case): Case {
  const [height, width] = [made.height, made.width].map((size, i) => {
    const needed = (made.filter[i]! - 1) * made.dilations[i]! + 1 - explicitPadding(made.padding, i as 0 | 1);
    return Math.max(size, needed);
  }) as [number, number];
  const sameAnyway = made.padding === 'same' || made.padding === 'same-lower';
  return {
    ...made,
    batch: made.rank === 3 ? 1 : made.batch,
    height: sameAnyway ? made.height : height,
    width: sameAnyway ? made.width : width,
  };
}

function explicitPadding(value: Padding, index: 0 | 1): number {
  if (typeof value === 'string') return 0;
  const ofAxis = typeof value === 'number' ? value : value[index];
  return typeof ofAxis === 'number' ? 2 * ofAxis : ofAxis[0] + ofAxis[1];
}

function inputLength({ batch, height, width, groups, inPerGroup }: Case): number {
  return batch * height * width * groups * inPerGroup;
}

function multiplications(made: Case): number {
  const [rows, columns] = [made.height, made.width].map((size, i) => {
    return Math.ceil((size + explicitPadding(made.padding, i as 0 | 1)) / made.strides[i]!);
  }) as [number, number];
  const outputs = made.batch * rows * columns * made.groups * made.outPerGroup;
  return outputs * made.filter[0] * made.filter[1] * made.inPerGroup;
}

/** The call that a case describes: always the same for the same case. */
export function callOf(made: Case): Call {
  const { operator, batch, height, width, groups, inPerGroup, outPerGroup, filter } = made;
  const random = randomNumbers(made.seed);
  const [inChannels, outChannels] = [groups * inPerGroup, groups * outPerGroup];
  const image = made.dataFormat === 'NHWC' ? [height, width, inChannels] : [inChannels, height, width];
  const depthwise = operator === 'depthwiseConv2d';
  const filterShape =
    made.filterFormat === 'OIHW'
      ? [outChannels, inPerGroup, ...filter]
      : depthwise
        ? [...filter, inChannels, outPerGroup]
        : [...filter, inPerGroup, outChannels];
  const next = numbersOf(made.numbers, random);
  const input = tensor(made.rank === 3 ? image : [batch, ...image], next);
  const weights = tensor(filterShape, made.numbers === 'denormal' ? numbersOf('uniform', random) : next);
  const bias = tensor([outChannels], next);
  return {
    operator,
    input,
    filter: weights,
    options: {
      strides: made.strides,
      dilations: made.dilations,
      padding: made.padding,
      dataFormat: made.dataFormat,
      filterFormat: made.filterFormat,
      ...(depthwise ? {} : { groups }),
      ...(made.bias === 'none' ? {} : { bias: made.bias === 'array' ? bias.data : bias }),
      activation: activationOf(made.activation, outChannels, random),
    },
  };
}

export function tensor(shape: number[], next: () => number): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return { data: Float32Array.from({ length }, next), shape };
}

/** The next number of its kind at each call. */
export function numbersOf(kind: Numbers, random: () => number): () => number {
  return () => NUMBERS[kind](random);
}

const NUMBERS: Readonly<Record<Numbers, (random: () => number) => number>> = {
  uniform: (random) => 2 * random() - 1,
  integers: (random) => Math.floor(17 * random()) - 8,
  wide: (random) => {
    const magnitude = random() < 0.1 ? 0 : 2 ** (80 * random() - 40);
    return random() < 0.5 ? -magnitude : magnitude;
  },
  denormal: (random) => (2 * random() - 1) * 2 ** -132,
};

/** Marsaglia's xorshift32: uniform in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
