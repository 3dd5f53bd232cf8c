// Sizes around the widths of vectors and register tiles, one by one, for every kind of kernel.
import { describe, test } from 'vitest';
import { callSync } from '../call.js';
import { type Case, callOf } from '../cases.js';
import { expectWithin, reference } from '../reference.js';

const EDGES = [1, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 27, 28, 29, 31, 32, 33];
const FEW = [1, 4, 7, 8, 13, 15, 16, 17];

const BASE: Case = {
  operator: 'depthwiseConv2d',
  batch: 1,
  rank: 4,
  height: 5,
  width: 8,
  groups: 1,
  inPerGroup: 1,
  outPerGroup: 1,
  filter: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  padding: 'same',
  dataFormat: 'NHWC',
  filterFormat: 'HWIO',
  bias: 'array',
  activation: 'linear',
  numbers: 'integers',
  seed: 1,
};

interface Family {
  readonly name: string;
  readonly filters: readonly number[];
  readonly widths: readonly number[];
  readonly sizes: readonly number[];
  readonly channels: (size: number) => Partial<Case>;
}

const grouped = (inPerGroup: number, outPerGroup: number) => (groups: number) =>
  ({ operator: 'conv2d', groups, inPerGroup, outPerGroup }) as const;

const FAMILIES: readonly Family[] = [
  { name: 'depthwise', filters: [1, 2, 3, 5, 7], widths: EDGES, sizes: EDGES, channels: (groups) => ({ groups }) },
  ...[2, 3, 4, 8, 16].map((outPerGroup) => ({
    name: `depthwise with multiplier ${outPerGroup}`,
    filters: [3, 7],
    widths: FEW,
    sizes: [1, 2, 3, 4, 5, 8, 9],
    channels: (groups: number) => ({ groups, outPerGroup }),
  })),
  ...(
    [
      [4, 4],
      [8, 8],
      [16, 16],
      [3, 5],
      [6, 2],
    ] as const
  ).map(([inPerGroup, outPerGroup]) => ({
    name: `groups of ${inPerGroup} to ${outPerGroup} channels`,
    filters: [1, 3],
    widths: FEW,
    sizes: [1, 2, 3, 4, 5, 8, 9],
    channels: grouped(inPerGroup, outPerGroup),
  })),
  {
    name: 'dense, by output channels',
    filters: [1, 3],
    widths: [1, 6, 7, 14, 15],
    sizes: EDGES,
    channels: (outPerGroup) => ({ operator: 'conv2d', inPerGroup: 5, outPerGroup }),
  },
  {
    name: 'dense, by input channels',
    filters: [1, 3],
    widths: [1, 6, 7, 14, 15],
    sizes: EDGES,
    channels: (inPerGroup) => ({ operator: 'conv2d', inPerGroup, outPerGroup: 9 }),
  },
];

describe.each(['NHWC', 'NCHW'] as const)('%s', (dataFormat) => {
  describe.each(FAMILIES)('$name', ({ filters, widths, sizes, channels }) => {
    const kernels = filters.flatMap((size) => [1, 2].map((stride) => ({ size, stride })));
    test.each(kernels)('$size x $size, stride $stride', ({ size, stride }) => {
      for (const width of widths) {
        for (const channelSize of sizes) {
          const made: Case = {
            ...BASE,
            dataFormat,
            width,
            filter: [size, size],
            strides: [stride, stride],
            ...channels(channelSize),
            seed: 100 * width + channelSize,
          };
          const call = callOf(made);
          const exact = reference(call.operator, call.input, call.filter, call.options);
          expectWithin(callSync(call), { ...exact, low: exact.output, high: exact.output }, () => JSON.stringify(made));
        }
      }
    });
  });
});
