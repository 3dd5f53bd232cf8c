// Those who ask how to divide the input of tf.nn.depthwise_conv2d into groups, as PyTorch's conv2d does, get one of two
// work-arounds for an answer. Both give what `groups` gives.
import { describe, expect, test } from 'vitest';
import { conv2dSync, depthwiseConv2dSync, type Tensor } from '../../lib/index.js';
import { numbersOf, randomNumbers, tensor } from '../cases.js';

const SHAPES = [
  { groups: 2, inPerGroup: 2, outPerGroup: 1 },
  { groups: 2, inPerGroup: 2, outPerGroup: 3 },
  { groups: 3, inPerGroup: 5, outPerGroup: 2 },
  { groups: 4, inPerGroup: 8, outPerGroup: 8 },
  { groups: 8, inPerGroup: 4, outPerGroup: 16 },
];

describe.each(SHAPES)('$groups groups, $inPerGroup to $outPerGroup channels each', (sizes) => {
  const { groups, inPerGroup, outPerGroup } = sizes;
  // Integers: sums are exact in any order, so that results are equal and not just close.
  const next = numbersOf('integers', randomNumbers(groups));
  const input = tensor([2, 6, 7, groups * inPerGroup], next);
  const filter = tensor([3, 2, inPerGroup, groups * outPerGroup], next);
  const options = { strides: [1, 2], padding: 'same' } as const;
  const grouped = conv2dSync(input, filter, { ...options, groups });

  test('a depthwise convolution, its output split like a deck of cards and summed', () => {
    const wide = depthwiseConv2dSync(input, asDepthwise(filter, sizes), options);
    expect(sumWithinGroups(wide, sizes)).toEqual(grouped);
  });

  test('slices of the input, a convolution of each, and the results side by side', () => {
    const parts = Array.from({ length: groups }, (_, g) =>
      conv2dSync(channels(input, g * inPerGroup, inPerGroup), channels(filter, g * outPerGroup, outPerGroup), options),
    );
    expect(concatenated(parts)).toEqual(grouped);
  });
});

interface Sizes {
  readonly groups: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
}

/** The depthwise filter [fh, fw, C, outPerGroup] with which channel c makes its share of each output of its group. */
function asDepthwise({ data, shape }: Tensor, { groups, inPerGroup, outPerGroup }: Sizes): Tensor {
  const [height, width] = shape as [number, number];
  const weights: number[] = [];
  for (let tap = 0; tap < height * width; tap++) {
    for (let g = 0; g < groups; g++) {
      for (let i = 0; i < inPerGroup; i++) {
        for (let o = 0; o < outPerGroup; o++) {
          weights.push(data[(tap * inPerGroup + i) * groups * outPerGroup + g * outPerGroup + o]!);
        }
      }
    }
  }
  return { data: Float32Array.from(weights), shape: [height, width, groups * inPerGroup, outPerGroup] };
}

/** Sums, within each group, the shares that its input channels have in each of its outputs. */
function sumWithinGroups({ data, shape }: Tensor, { groups, inPerGroup, outPerGroup }: Sizes): Tensor {
  const pixels = data.length / (groups * inPerGroup * outPerGroup);
  const sums = new Float32Array(pixels * groups * outPerGroup);
  let at = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let g = 0; g < groups; g++) {
      for (let i = 0; i < inPerGroup; i++) {
        for (let o = 0; o < outPerGroup; o++) sums[(pixel * groups + g) * outPerGroup + o]! += data[at++]!;
      }
    }
  }
  return { data: sums, shape: [...shape.slice(0, 3), groups * outPerGroup] };
}

/** `count` of the last dimension's elements, from `first` on. */
function channels({ data, shape }: Tensor, first: number, count: number): Tensor {
  const all = shape.at(-1)!;
  const isIn = (i: number) => i % all >= first && i % all < first + count;
  return { data: data.filter((_, i) => isIn(i)), shape: [...shape.slice(0, -1), count] };
}

function concatenated(parts: readonly Tensor[]): Tensor {
  const each = parts[0]!.shape.at(-1)!;
  const shape = [...parts[0]!.shape.slice(0, -1), each * parts.length];
  const data = new Float32Array(parts.length * parts[0]!.data.length);
  for (let i = 0; i < data.length; i++) {
    const [pixel, channel] = [Math.floor(i / (each * parts.length)), i % (each * parts.length)];
    data[i] = parts[Math.floor(channel / each)]!.data[pixel * each + (channel % each)]!;
  }
  return { data, shape };
}
