import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Axis, axisGeometry, checkedProduct } from '../lib/geometry.js';
import { Conv2d, DepthwiseConv2d } from '../lib/index.js';

function axis(fields: Partial<Axis>): Axis {
  return { name: 'height', input: 7, filter: 3, stride: 1, dilation: 1, padding: [0, 0], ...fields };
}

// Worked out by hand from the formulas of TensorFlow (SAME, VALID), PyTorch (explicit) and ONNX (SAME_LOWER).
// biome-ignore format: a table
const KNOWN: readonly (readonly [Partial<Axis>, output: number, before: number])[] = [
  [{ input: 7, filter: 3, padding: 'same' }, 7, 1],
  [{ input: 7, filter: 3, padding: 'same-lower' }, 7, 1],
  [{ input: 7, filter: 4, padding: 'same' }, 7, 1],
  [{ input: 7, filter: 4, padding: 'same-lower' }, 7, 2],
  [{ input: 8, filter: 3, stride: 2, padding: 'same' }, 4, 0],
  [{ input: 8, filter: 3, stride: 2, padding: 'same-lower' }, 4, 1],
  [{ input: 7, filter: 3, stride: 2, padding: 'same' }, 4, 1],
  [{ input: 224, filter: 7, stride: 2, padding: 'same' }, 112, 2],
  [{ input: 10, filter: 3, stride: 2, dilation: 3, padding: 'same' }, 5, 2],
  [{ input: 10, filter: 3, stride: 2, dilation: 3, padding: 'same-lower' }, 5, 3],
  [{ input: 1, filter: 5, padding: 'same' }, 1, 2],
  [{ input: 5, filter: 1, stride: 3, padding: 'same' }, 2, 0],
  [{ input: 5, filter: 2, stride: 7, padding: 'same' }, 1, 0],
  [{ input: 7, filter: 3 }, 5, 0],
  [{ input: 7, filter: 3, stride: 2 }, 3, 0],
  [{ input: 8, filter: 3, stride: 2 }, 3, 0],
  [{ input: 7, filter: 7 }, 1, 0],
  [{ input: 7, filter: 3, dilation: 3 }, 1, 0],
  [{ input: 224, filter: 7, stride: 2, padding: [3, 3] }, 112, 3],
  [{ input: 5, filter: 3, padding: [4, 0] }, 7, 4],
  [{ input: 5, filter: 3, stride: 2, padding: [0, 3] }, 3, 0],
  [{ input: 1, filter: 1, padding: [2, 2] }, 5, 2],
];

describe('axisGeometry', () => {
  it.each(KNOWN)('%o has %i outputs, %i pixels before', (fields, output, before) => {
    expect(axisGeometry(axis(fields))).toMatchObject({ output, before });
  });

  const sizes = {
    input: fc.integer({ min: 1, max: 40 }),
    filter: fc.integer({ min: 1, max: 9 }),
    stride: fc.integer({ min: 1, max: 9 }),
    dilation: fc.integer({ min: 1, max: 6 }),
  };

  it('explicit: has an output wherever the filter fits, and only there', () => {
    const pads = fc.tuple(fc.nat(12), fc.nat(12));
    fc.assert(
      fc.property(fc.record({ ...sizes, padding: pads }), (fields) => {
        const { input, filter, stride, dilation, padding } = fields;
        const end = input + padding[1];
        let fitting = 0;
        for (let y = -padding[0]; y + (filter - 1) * dilation < end; y += stride) fitting++;
        if (fitting === 0) expect(() => axisGeometry(axis(fields))).toThrow(RangeError);
        else expect(axisGeometry(axis(fields))).toMatchObject({ output: fitting, before: padding[0] });
      }),
    );
  });

  it('same: has ceil(input / stride) outputs from the least padding that gives them, halved', () => {
    fc.assert(
      fc.property(fc.record(sizes), (fields) => {
        const { input, filter, stride, dilation } = fields;
        const output = Math.ceil(input / stride);
        let total = 0;
        while (input + total < (output - 1) * stride + (filter - 1) * dilation + 1) total++;
        const upper = axisGeometry(axis({ ...fields, padding: 'same' }));
        const lower = axisGeometry(axis({ ...fields, padding: 'same-lower' }));
        expect(upper).toEqual({ output, before: Math.floor(total / 2), padded: input + total });
        expect(lower).toEqual({ output, before: Math.ceil(total / 2), padded: input + total });
      }),
    );
  });

  it('keeps the filter and the steps to it within the padded input', () => {
    const paddings = fc.oneof(
      fc.constantFrom('same' as const, 'same-lower' as const),
      fc.tuple(fc.nat(60), fc.nat(60)),
    );
    fc.assert(
      fc.property(fc.record({ ...sizes, padding: paddings }), (fields) => {
        const { filter, stride, dilation, padding, input } = fields;
        const span = (filter - 1) * dilation + 1;
        fc.pre(typeof padding === 'string' || padding[0] + input + padding[1] >= span);
        const { output, padded } = axisGeometry(axis(fields));
        expect((output - 1) * stride + span).toBeLessThanOrEqual(padded);
      }),
    );
  });

  it('is exact up to 2^53 - 1 and refuses what lies beyond', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(axisGeometry(axis({ filter: 1, padding: [most - 7, 0] }))).toEqual({
      output: most,
      before: most - 7,
      padded: most,
    });
    expect(axisGeometry(axis({ filter: 1, dilation: most, stride: most })).output).toBe(1);
    for (const fields of [
      { padding: [most, 0] as const },
      { padding: [most, most] as const },
      { padding: [0, most - 6] as const },
      { dilation: most, padding: 'same' as const },
      { dilation: most, padding: 'same-lower' as const },
    ]) {
      expect(() => axisGeometry(axis(fields))).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
    expect(() => axisGeometry(axis({ dilation: most }))).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE_MISMATCH' }),
    );
  });
});

describe('checkedProduct', () => {
  it('multiplies', () => {
    expect(checkedProduct('x', [2, 5, 6, 4])).toBe(240);
    expect(checkedProduct('x', [0, 5, 6, 4])).toBe(0);
    expect(checkedProduct('x', [])).toBe(1);
    expect(checkedProduct('x', [Number.MAX_SAFE_INTEGER, 1])).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('never wraps or rounds', () => {
    for (const sizes of [
      [2 ** 32, 2 ** 32],
      [2 ** 53 - 1, 2],
      [3, 2 ** 52],
      [0, 2 ** 30, 2 ** 30],
      [1e200, 1e200],
    ]) {
      expect(() => checkedProduct('x', sizes)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });
});

describe('outputShape', () => {
  const ones = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape });

  it('answers the question: one channel expands to the multiplier, and groups may have fewer outputs', () => {
    expect(new DepthwiseConv2d(ones(3, 3, 4, 1), { padding: 'same' }).outputShape([2, 3, 3, 4])).toEqual([2, 3, 3, 4]);
    expect(new DepthwiseConv2d(ones(3, 3, 4, 2), { padding: 'same' }).outputShape([2, 3, 3, 4])).toEqual([2, 3, 3, 8]);
    const grouped = new Conv2d(ones(3, 3, 2, 2), { padding: 'same', groups: 2 });
    expect(grouped.outputShape([2, 3, 3, 4])).toEqual([2, 3, 3, 2]);
  });

  it('treats the axes apart', () => {
    const layer = new DepthwiseConv2d(ones(2, 3, 4, 2), {
      strides: [1, 2],
      dilations: [3, 1],
      padding: [
        [0, 1],
        [4, 0],
      ],
    });
    expect(layer.outputShape([1, 9, 10, 4])).toEqual([1, 7, 6, 8]);
    expect(layer.outputShape([9, 10, 4])).toEqual([7, 6, 8]);
  });

  it('puts the channels where the format has them', () => {
    const layer = new DepthwiseConv2d(ones(8, 1, 3, 5), { filterFormat: 'OIHW', dataFormat: 'NCHW' });
    expect(layer.outputShape([0, 4, 9, 10])).toEqual([0, 8, 7, 6]);
    expect(layer.outputShape([8, 9, 10])).toEqual([8, 7, 6]);
  });

  it('agrees with run and out, for an OIHW layer that meets inputs of several channel counts', () => {
    const layer = new DepthwiseConv2d(ones(8, 1, 2, 2), { filterFormat: 'OIHW' });
    for (const channels of [1, 2, 4, 8, 2, 1]) {
      const output = layer.runSync(ones(2, 3, 4, channels));
      expect(output).toEqual({ data: new Float32Array(2 * 2 * 3 * 8).fill(4), shape: [2, 2, 3, 8] });
      expect(layer.outputShape([2, 3, 4, channels])).toEqual(output.shape);
    }
    expect(() => layer.outputShape([2, 3, 4, 3])).toThrow(expect.objectContaining({ code: 'ERR_SHAPE_MISMATCH' }));
  });

  it('is far beyond what memory holds, if need be, and runs a stride or dilation beyond the input', () => {
    const layer = new DepthwiseConv2d(ones(1, 1, 1, 1), { padding: [2 ** 40, 0] });
    expect(layer.outputShape([1, 1, 1, 1])).toEqual([1, 2 ** 41 + 1, 1, 1]);
    const far = 2 ** 53 - 1;
    const sparse = new DepthwiseConv2d(ones(1, 1, 4, 1), { strides: far, dilations: far });
    expect(sparse.runSync(ones(1, 5, 6, 4))).toEqual({ data: new Float32Array(4).fill(1), shape: [1, 1, 1, 4] });
  });
});

describe('explain', () => {
  const ones = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape });

  it('counts two flops for each tap that does not fall on padding, and every byte once', () => {
    const valid = new DepthwiseConv2d(ones(3, 3, 4, 2)).explain([2, 5, 6, 4]);
    expect(valid).toMatchObject({ flops: 2 * 9 * (2 * 3 * 4 * 8), bytes: 4 * (240 + 72 + 192) });
    // Of 3x3 outputs, the 4 corners have 4 taps inside, the 4 edges 6 and the middle 9.
    const same = new DepthwiseConv2d(ones(3, 3, 4, 1), { padding: 'same' }).explain([2, 3, 3, 4]);
    expect(same.flops).toBe(2 * 2 * 4 * (4 * 4 + 4 * 6 + 9));
    const grouped = new Conv2d(ones(3, 3, 2, 2), { padding: 'same', groups: 2 }).explain([2, 3, 3, 4]);
    expect(grouped).toMatchObject({ flops: 2 * 2 * 2 * 2 * 49, bytes: 4 * (72 + 36 + 36) });
  });

  it('counts by formula: a huge padding takes no time', () => {
    const layer = new DepthwiseConv2d(ones(1, 1, 1, 1), { padding: [2 ** 40, 0] });
    expect(layer.explain([1, 1, 1, 1])).toMatchObject({ flops: 2, bytes: 4 * (2 ** 41 + 3) });
  });
});
