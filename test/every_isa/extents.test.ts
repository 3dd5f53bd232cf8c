// Convolutions far larger in one direction than in the others: what cuts work into tiles has to cope with them.
import { describe, test } from 'vitest';
import { callSync, expectSameBits, layerOf } from '../call.js';
import { type Case, callOf } from '../cases.js';
import { expectWithin, reference } from '../reference.js';

const PLAIN: Case = {
  operator: 'depthwiseConv2d',
  batch: 1,
  rank: 4,
  height: 3,
  width: 3,
  groups: 1,
  inPerGroup: 1,
  outPerGroup: 1,
  filter: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  padding: 'same',
  dataFormat: 'NHWC',
  filterFormat: 'HWIO',
  bias: 'none',
  activation: 'relu',
  numbers: 'integers',
  seed: 5,
};

const EXTENTS: readonly [string, Partial<Case>][] = [
  ['wide', { height: 9, width: 60_000 }],
  ['wide with strides', { height: 15, width: 50_000, strides: [7, 1] }],
  ['wide with sparse rows', { height: 27, width: 150_000, strides: [13, 3] }],
  ['wide with dilations', { height: 9, width: 50_000, dilations: [1, 5000] }],
  ['a signal', { height: 1, width: 500_000, filter: [1, 9], strides: [1, 5] }],
  ['tall', { height: 60_000, width: 9 }],
  ['tall with strides', { height: 50_000, width: 15, strides: [1, 7] }],
  ['tall with dilations', { height: 50_000, width: 9, dilations: [7000, 1] }],
  ['many images', { batch: 9001, height: 4, width: 5 }],
  ['a filter larger than a tile', { height: 70, width: 80, filter: [65, 67], padding: 'valid' }],
  ['a long filter', { height: 3, width: 5000, filter: [1, 1025] }],
  ['a high filter', { height: 5000, width: 3, filter: [1025, 1] }],
  ['a filter larger than the input', { height: 5, width: 6, filter: [41, 43], padding: 30 }],
  [
    'padding beyond the filter',
    {
      height: 5,
      width: 6,
      padding: [
        [300, 200],
        [100, 400],
      ],
      strides: [3, 2],
    },
  ],
  ['strides beyond the input', { height: 40, width: 50, strides: [1000, 900] }],
];

const CHANNELS: readonly [string, Partial<Case>][] = [
  ['one channel', {}],
  ['three channels, multiplier 2', { groups: 3, outPerGroup: 2 }],
  ['17 channels', { groups: 17 }],
  ['two groups of 3 to 2', { operator: 'conv2d', groups: 2, inPerGroup: 3, outPerGroup: 2 }],
  ['5 to 9 channels', { operator: 'conv2d', inPerGroup: 5, outPerGroup: 9 }],
];

const DEEP: readonly [string, Partial<Case>][] = [
  ['20,000 channels', { groups: 20_000 }],
  ['a multiplier of 9,000', { groups: 3, outPerGroup: 9000 }],
  ['9,000 groups of 2', { operator: 'conv2d', groups: 9000, inPerGroup: 2, outPerGroup: 2 }],
  ['10,000 channels to 3', { operator: 'conv2d', inPerGroup: 10_000, outPerGroup: 3 }],
  ['3 channels to 10,000', { operator: 'conv2d', inPerGroup: 3, outPerGroup: 10_000 }],
];

const WORK = 2e6;

/** The case with its long sides divided until the reference computes it in reasonable time. */
function affordable(made: Case): Case {
  const inChannels = made.groups * made.inPerGroup;
  const outputs = made.batch * (made.height / made.strides[0]) * (made.width / made.strides[1]);
  const work = outputs * made.filter[0] * made.filter[1] * inChannels * made.outPerGroup;
  if (work <= WORK) return made;
  const by = (size: number) => (size > 1000 ? Math.ceil((size * WORK) / work) : size);
  return { ...made, batch: by(made.batch), height: by(made.height), width: by(made.width) };
}

function check(made: Case): void {
  const call = callOf(made);
  const exact = reference(call.operator, call.input, call.filter, call.options);
  const result = callSync(call);
  expectWithin(result, { ...exact, low: exact.output, high: exact.output });
  expectSameBits(layerOf(call).runSync(call.input), result, 'the layer');
}

describe.each(['NHWC', 'NCHW'] as const)('%s', (dataFormat) => {
  describe.each(CHANNELS)('%s', (_, channels) => {
    test.each(EXTENTS)('%s', (_, extents) => check(affordable({ ...PLAIN, dataFormat, ...extents, ...channels })));
  });
  test.each(DEEP)('%s', (_, channels) => check({ ...PLAIN, dataFormat, ...channels }));
});
