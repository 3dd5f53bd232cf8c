import ndarray from 'ndarray';
import { Tensor as OrtTensor } from 'onnxruntime-common';
import { expect, test } from 'vitest';
import { conv2dSync, DepthwiseConv2d, depthwiseConv2d } from '../../lib/index.js';
import { fromImage, fromNdarray, tensor, toImage, toTensor } from '../../lib/io/index.js';

test('nested arrays', () => {
  expect(tensor([[[1, 2]], [[3, 4]]])).toEqual({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 1, 2] });
  expect(tensor([])).toEqual({ data: new Float32Array(0), shape: [0] });
  expect(() => tensor([[1, 2], [3]])).toThrow('nested[1] must be an array of 2');
  expect(() => tensor([[1], ['2']] as never)).toThrow('nested[1][0] must be a number, got string');
  expect(() => tensor([1, [2]] as never)).toThrow('nested[1] must be a number, got an array of 1');
});

test('other element types become float32, float32 stays the same object', () => {
  const same = { data: Float32Array.of(1), shape: [1] };
  expect(toTensor(same)).toBe(same);
  expect(toTensor({ data: BigInt64Array.of(-3n), shape: [1] }).data).toEqual(Float32Array.of(-3));
  expect(toTensor({ data: Float64Array.of(0.1), shape: [1] }).data).toEqual(Float32Array.of(0.1));
});

test('contiguous ndarrays are views, others are refused', () => {
  const data = Float32Array.from({ length: 8 }, (_, i) => i);
  const view = fromNdarray({ data, shape: [2, 1, 3], stride: [3, 99, 1], offset: 2 });
  expect(view).toEqual({ data: data.subarray(2), shape: [2, 1, 3] });
  expect(view.data.buffer).toBe(data.buffer);
  expect(() => fromNdarray({ data, shape: [2, 3], stride: [1, 2], offset: 0 })).toThrow('transposed');
  expect(() => fromNdarray({ data: new Float64Array(4) as never, shape: [4], stride: [1], offset: 0 })).toThrow(
    TypeError,
  );
});

test('pixels there and back', () => {
  const pixels = { data: Uint8Array.from({ length: 256 }, (_, i) => i), info: { width: 8, height: 8, channels: 4 } };
  expect(fromImage(pixels).shape).toEqual([1, 8, 8, 4]);
  expect(toImage(fromImage(pixels))).toEqual(pixels);
  expect(toImage({ data: Float32Array.of(-1, NaN, 9), shape: [1, 1, 3] }).data).toEqual(Uint8Array.of(0, 0, 255));
  const deep = { data: Uint16Array.of(0, 1, 32768, 65535), info: { width: 4, height: 1, channels: 1 } };
  expect(fromImage(deep).data[2]).toBe(Math.fround(32768 / 65535));
  expect(toImage(fromImage(deep), 16)).toEqual(deep);
  expect(() => fromImage({ ...deep, data: new Float32Array(4) as never })).toThrow(TypeError);
  expect(() => toImage({ data: new Float32Array(3), shape: [1, 2, 3] })).toThrow('6 elements, data has 3');
  expect(() => fromImage({ ...pixels, data: new Uint8Array(3) })).toThrow('256 elements, got 3');
  expect(() => toImage({ data: new Float32Array(320), shape: [1, 8, 8, 5] })).toThrow('is it NCHW?');
});

test("onnxruntime's tensors go in as they are, and results become theirs", async () => {
  const x = new OrtTensor('float32', Float32Array.of(1, 2, 3, 4), [1, 2, 1, 2]);
  const w = new OrtTensor('float32', Float32Array.of(1, 10), [1, 2, 1, 1]);
  const options = { dataFormat: 'NCHW', filterFormat: 'OIHW' } as const;
  const y = conv2dSync(x as OrtTensor & { data: Float32Array }, w as OrtTensor & { data: Float32Array }, options);
  expect(y).toEqual({ data: Float32Array.of(31, 42), shape: [1, 1, 1, 2] });
  expect(new OrtTensor('float32', y.data, y.shape).dims).toEqual([1, 1, 1, 2]);
});

test('ndarrays go in as they are where they are contiguous, views into larger memory too; others are refused', async () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i);
  const all = ndarray(values, [2, 3, 2]);
  const ones = { data: Float32Array.of(1, 1), shape: [1, 1, 2, 1] };
  expect((await depthwiseConv2d(all, ones)).data).toEqual(values);
  const second = all.lo(1);
  expect(second).toMatchObject({ shape: [1, 3, 2], offset: 6 });
  const layer = new DepthwiseConv2d(ones);
  expect(layer.runSync(second)).toEqual({ data: values.slice(6), shape: [1, 3, 2] });
  const out = ndarray(new Float32Array(8), [1, 3, 2], [6, 2, 1], 2);
  expect(layer.runSync(second, { out })).toBe(out);
  expect(out.data).toEqual(Float32Array.of(0, 0, 6, 7, 8, 9, 10, 11));
  expect(() => layer.runSync(all.transpose(1, 0, 2))).toThrow('input.stride must be [4,2,1]');
  expect(() => layer.runSync(all.step(1, -1, 1))).toThrow('is it transposed or stepped? Copy it first');
});
