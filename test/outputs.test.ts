import { expect, test } from 'vitest';
import { Conv2d, conv2d, conv2dSync, DepthwiseConv2d, depthwiseConv2d, depthwiseConv2dSync } from '../lib/index.js';

const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 50 - 1);
const filter = { data: numbers(3 * 3 * 24), shape: [3, 3, 24, 1] };
const groupedFilter = { data: numbers(3 * 3 * 6 * 40), shape: [3, 3, 6, 40] };
const input = { data: numbers(40 * 40 * 24), shape: [1, 40, 40, 24] };
const grouped = { groups: 4, padding: 'same' } as const;
const depthwise = new DepthwiseConv2d(filter, { padding: 'same' });
const layer = new Conv2d(groupedFilter, grouped);

const CALLS = {
  'DepthwiseConv2d.runSync': () => depthwise.runSync(input),
  'DepthwiseConv2d.run': () => depthwise.run(input),
  'Conv2d.runSync': () => layer.runSync(input),
  'Conv2d.run': () => layer.run(input),
  depthwiseConv2dSync: () => depthwiseConv2dSync(input, filter, { padding: 'same' }),
  depthwiseConv2d: () => depthwiseConv2d(input, filter, { padding: 'same' }),
  conv2dSync: () => conv2dSync(input, groupedFilter, grouped),
  conv2d: () => conv2d(input, groupedFilter, grouped),
};

test.each(Object.entries(CALLS))('%s: a new output fills an ordinary buffer of its own', async (_, call) => {
  const { data, shape } = await call();
  const { buffer } = data;
  expect(buffer).toBeInstanceOf(ArrayBuffer);
  expect([data.byteOffset, data.byteLength]).toEqual([0, buffer.byteLength]);
  expect(data.length).toBe(shape.reduce((a, b) => a * b));
  const moved = structuredClone(data, { transfer: [buffer as ArrayBuffer] });
  expect(data.length).toBe(0);
  expect(moved.length).toBe(shape.reduce((a, b) => a * b));
});

test('nothing of a new output is what its memory held before', async () => {
  const expected = [depthwise.outputShape(input.shape), layer.outputShape(input.shape)].map((shape, i) => {
    const out = { data: new Float32Array(shape.reduce((a, b) => a * b)), shape };
    return [depthwise, layer][i]!.runSync(input, { out }).data;
  });
  for (let i = 0; i < 200; i++) {
    new Float32Array(Buffer.allocUnsafeSlow(expected[i % 2]!.byteLength).buffer).fill(Number.NaN);
    const { data } = await (i % 4 < 2
      ? [depthwise, layer][i % 2]!.runSync(input)
      : [depthwise, layer][i % 2]!.run(input));
    expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(expected[i % 2]!.buffer))).toBe(0);
  }
});
