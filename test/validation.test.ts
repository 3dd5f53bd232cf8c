import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import * as api from '../lib/index.js';

// What a program without types may pass.
// biome-ignore lint/suspicious/noExplicitAny: the point of this file
const { Conv2d, conv2d, conv2dSync, DepthwiseConv2d, depthwiseConv2d, depthwiseConv2dSync, setThreads } = api as any;

const CLASSES: Record<string, typeof TypeError | typeof RangeError> = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: RangeError,
  ERR_INVALID_STATE: TypeError,
  ERR_OUT_OF_MEMORY: RangeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_OVERLAP: RangeError,
  ERR_SHAPE_MISMATCH: RangeError,
  ERR_UNKNOWN_OPTION: TypeError,
};

function t(...shape: number[]) {
  return { data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape };
}

function detached(length: number): Float32Array {
  const data = new Float32Array(length);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

type Resizable = ArrayBuffer & { resize(length: number): void };
const ResizableBuffer = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable;

function shrunk(length: number): Float32Array {
  const buffer = new ResizableBuffer(4 * length, { maxByteLength: 4 * length });
  const data = new Float32Array(buffer, 0, length);
  buffer.resize(8);
  return data;
}

function shrunkTracking(length: number): Float32Array {
  const buffer = new ResizableBuffer(4 * length, { maxByteLength: 4 * length });
  const data = new Float32Array(buffer);
  buffer.resize(8);
  return data;
}

class Liar extends Float32Array {
  override get length(): number {
    return 240;
  }
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwingArray(): number[] {
  return Object.defineProperty([2, 5, 6, 4], 1, {
    get() {
      throw new Error('boom');
    },
  });
}

/** An array that lacks the elements that are undefined here. */
function holey(...elements: unknown[]): unknown[] {
  const array = Array(elements.length);
  elements.forEach((element, i) => {
    if (element !== undefined) array[i] = element;
  });
  return array;
}

const x = t(2, 5, 6, 4);
const f = t(3, 3, 4, 2);
const g = t(3, 3, 4, 4);
const x1 = t(1, 1, 1, 4);
const f1 = t(1, 1, 4, 1);
const b4 = new Float32Array(4);
const memory = new Float32Array(6);
const overlapping = {
  input: { data: memory.subarray(0, 4), shape: [1, 1, 1, 4] },
  out: { data: memory.subarray(2, 6), shape: [1, 1, 1, 4] },
};
const layer = new DepthwiseConv2d(f);
const layer1 = new DepthwiseConv2d(f1);

function disposed() {
  const layer = new DepthwiseConv2d(f);
  layer[Symbol.dispose]();
  return layer;
}

/** The errors of one bad call, made in every way that the API has for it. */
type Ways = { way: string; error: Promise<unknown> }[];

async function thrown(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: any arguments
function everyWay(names: readonly string[], run: any, runSync: any, Layer: any, args: any[]): Ways {
  const [input, filter, options] = args;
  const promise: Promise<unknown> = run(...args);
  const ways: Ways = [
    { way: names[0]!, error: thrown(() => promise) },
    { way: names[1]!, error: thrown(() => runSync(...args)) },
  ];
  if (!hasOut(options)) {
    ways.push({ way: names[2]!, error: thrown(() => new Layer(filter, options).runSync(input)) });
  }
  return ways;
}

function hasOut(options: unknown): boolean {
  try {
    return Object.keys(options as object).includes('out');
  } catch {
    return false;
  }
}

const depthwise = (...args: unknown[]) =>
  everyWay(
    ['depthwiseConv2d', 'depthwiseConv2dSync', 'new DepthwiseConv2d'],
    depthwiseConv2d,
    depthwiseConv2dSync,
    DepthwiseConv2d,
    args,
  );
const grouped = (...args: unknown[]) =>
  everyWay(['conv2d', 'conv2dSync', 'new Conv2d'], conv2d, conv2dSync, Conv2d, args);

// Each row: what is wrong, the call, the error's code and message. `@` in a message stands for the function's name.
// biome-ignore format: a table, one call a line
const BAD_CALLS: readonly (readonly [what: string, call: () => unknown, code: string, message: string])[] = [
  // input: not a tensor
  ['input is undefined', () => depthwise(undefined, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got undefined'],
  ['input is null', () => depthwise(null, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got null'],
  ['input is a number', () => depthwise(5, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got 5'],
  ['input is a string', () => depthwise('image', f), 'ERR_INVALID_ARG_TYPE', "input must be a tensor { data: Float32Array, shape: number[] }, got 'image'"],
  ['input is a boolean', () => depthwise(true, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got true'],
  ['input is a bigint', () => depthwise(1n, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got 1n'],
  ['input is a symbol', () => depthwise(Symbol(), f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got Symbol()'],
  ['input is a function', () => depthwise(() => x, f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got a function'],
  ['input is an array', () => depthwise([1, 2, 3], f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got [1,2,3]; add its shape: { data: Float32Array.from(…), shape: [ … ] }'],
  ['input is a nested array', () => depthwise([[[1]]], f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got an array of 1; add its shape: { data: Float32Array.from(…), shape: [ … ] }'],
  ['input is a bare Float32Array', () => depthwise(new Float32Array(240), f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got a Float32Array; add its shape: { data, shape: [ … ] }'],
  ['input is a bare Uint8Array', () => depthwise(new Uint8Array(240), f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got a Uint8Array; add its shape: { data: Float32Array.from(…), shape: [ … ] }'],
  ['input is a DataView', () => depthwise(new DataView(new ArrayBuffer(8)), f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got a DataView; add its shape: { data: Float32Array.from(…), shape: [ … ] }'],
  ['input is a promise', () => depthwise(Promise.resolve(x), f), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got a Promise; is an await missing?'],
  ['input is an empty object', () => depthwise({}, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got undefined'],
  ['input is a Map', () => depthwise(new Map([['data', x.data]]), f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got undefined'],
  ['input is an ArrayBuffer', () => depthwise(new ArrayBuffer(960), f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got undefined'],
  ['input is a Date', () => depthwise(new Date(0), f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got undefined'],
  ['input is a revoked proxy', () => depthwise(revokedProxy(), f), 'ERR_INVALID_ARG_TYPE', "input could not be read: Cannot perform 'get' on a proxy that has been revoked"],
  // input.data
  ['input.data is missing', () => depthwise({ shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got undefined'],
  ['input.data is null', () => depthwise({ data: null, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got null'],
  ['input.data is an array', () => depthwise({ data: Array(240).fill(0), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got an array of 240; convert it: Float32Array.from(data)'],
  ['input.data is a Float64Array', () => depthwise({ data: new Float64Array(240), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Float64Array; convert it: Float32Array.from(data)'],
  ['input.data is a Uint8Array', () => depthwise({ data: new Uint8Array(240), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Uint8Array; convert it: Float32Array.from(data)'],
  ['input.data is an Int32Array', () => depthwise({ data: new Int32Array(240), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got an Int32Array; convert it: Float32Array.from(data)'],
  ['input.data is a Uint8ClampedArray', () => depthwise({ data: new Uint8ClampedArray(240), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Uint8ClampedArray; convert it: Float32Array.from(data)'],
  ['input.data is a BigInt64Array', () => depthwise({ data: new BigInt64Array(240), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a BigInt64Array; convert it: Float32Array.from(data)'],
  ['input.data is a Buffer', () => depthwise({ data: Buffer.alloc(960), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Buffer; convert it: Float32Array.from(data)'],
  ['input.data is an ArrayBuffer', () => depthwise({ data: new ArrayBuffer(960), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got an ArrayBuffer; wrap it: new Float32Array(buffer)'],
  ['input.data is a SharedArrayBuffer', () => depthwise({ data: new SharedArrayBuffer(960), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a SharedArrayBuffer; wrap it: new Float32Array(buffer)'],
  ['input.data is a DataView', () => depthwise({ data: new DataView(new ArrayBuffer(960)), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a DataView'],
  ['input.data is a function, as of a tfjs tensor', () => depthwise({ data: () => x.data, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a function; for a tfjs tensor t, pass { data: t.dataSync(), shape: t.shape }'],
  ['input.data is a string', () => depthwise({ data: '0,0,0', shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', "input.data must be a Float32Array, got '0,0,0'"],
  ['input.data is a number', () => depthwise({ data: 240, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got 240'],
  ['input.data is an object that looks like one', () => depthwise({ data: { length: 240, __proto__: Float32Array.prototype }, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Float32Array'],
  ['input.data is a proxy of a Float32Array', () => depthwise({ data: new Proxy(x.data, {}), shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.data must be a Float32Array, got a Proxy'],
  ['input.data is too short', () => depthwise({ data: new Float32Array(239), shape: x.shape }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 240 elements for shape [2,5,6,4], got 239'],
  ['input.data is too long', () => depthwise({ data: new Float32Array(241), shape: x.shape }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 240 elements for shape [2,5,6,4], got 241'],
  ['input.data is empty', () => depthwise({ data: new Float32Array(0), shape: x.shape }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 240 elements for shape [2,5,6,4], got 0'],
  ['input.data is not empty, the batch is', () => depthwise({ data: x.data, shape: [0, 5, 6, 4] }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 0 elements for shape [0,5,6,4], got 240'],
  ['input.data is detached', () => depthwise({ data: detached(240), shape: x.shape }, f), 'ERR_INVALID_STATE', 'input.data has no memory any more: its buffer was transferred or shrunk'],
  ['input.data is out of the bounds of its shrunk buffer', () => depthwise({ data: shrunk(240), shape: x.shape }, f), 'ERR_INVALID_STATE', 'input.data has no memory any more: its buffer was transferred or shrunk'],
  ['input.data shrank with its buffer', () => depthwise({ data: shrunkTracking(240), shape: x.shape }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 240 elements for shape [2,5,6,4], got 2'],
  ['input.data is a subclass that lies about its length', () => depthwise({ data: new Liar(8), shape: x.shape }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 240 elements for shape [2,5,6,4], got 8'],
  ['input.data throws when read', () => depthwise({ get data() { throw new Error('boom'); }, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input could not be read: boom'],
  ['input.data throws a string when read', () => depthwise({ get data() { throw 'boom'; }, shape: x.shape }, f), 'ERR_INVALID_ARG_TYPE', "input could not be read: 'boom'"],
  // input.shape
  ['input.shape is missing', () => depthwise({ data: x.data }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got undefined'],
  ['input.shape is null', () => depthwise({ data: x.data, shape: null }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got null'],
  ['input.shape is a number', () => depthwise({ data: x.data, shape: 240 }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got 240'],
  ['input.shape is a string', () => depthwise({ data: x.data, shape: '2,5,6,4' }, f), 'ERR_INVALID_ARG_TYPE', "input.shape must be an array of sizes, got '2,5,6,4'"],
  ['input.shape is a typed array', () => depthwise({ data: x.data, shape: Int32Array.of(2, 5, 6, 4) }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got an Int32Array; convert it: Array.from(shape)'],
  ['input.shape is an array-like', () => depthwise({ data: x.data, shape: { length: 4, 0: 2, 1: 5, 2: 6, 3: 4 } }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got an object'],
  ['input.shape is a Set', () => depthwise({ data: x.data, shape: new Set([2, 5, 6, 4]) }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got a Set'],
  ['input.shape is empty', () => depthwise({ data: x.data, shape: [] }, f), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got []'],
  ['input.shape is of rank 1', () => depthwise({ data: x.data, shape: [240] }, f), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got [240]'],
  ['input.shape is of rank 2', () => depthwise({ data: x.data, shape: [10, 24] }, f), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got [10,24]'],
  ['input.shape is of rank 5', () => depthwise({ data: x.data, shape: [1, 2, 5, 6, 4] }, f), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got [1,2,5,6,4]'],
  ['input.shape is very long', () => depthwise({ data: x.data, shape: Array(1000).fill(1) }, f), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got an array of 1000'],
  ['input.shape is null beside dims', () => depthwise({ data: x.data, shape: null, dims: x.shape }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape must be an array of sizes, got null'],
  ['input.dims is a typed array', () => depthwise({ data: x.data, dims: Int32Array.of(2, 5, 6, 4) }, f), 'ERR_INVALID_ARG_TYPE', 'input.dims must be an array of sizes, got an Int32Array; convert it: Array.from(shape)'],
  ['input.dims is of rank 2', () => depthwise({ data: x.data, dims: [10, 24] }, f), 'ERR_INVALID_ARG_VALUE', 'input.dims must have 3 or 4 sizes, got [10,24]'],
  ['input.dims has a bigint', () => depthwise({ data: x.data, dims: [2n, 5, 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.dims[0] must be an integer >= 0, got 2n'],
  ['input.dims does not fit the data', () => depthwise({ data: x.data, dims: [3, 5, 6, 4] }, f), 'ERR_SHAPE_MISMATCH', 'input.data must have 360 elements for shape [3,5,6,4], got 240'],
  ['input.shape has a zero height', () => depthwise({ data: x.data, shape: [2, 0, 6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[1] must be an integer >= 1, got 0'],
  ['input.shape has a zero width', () => depthwise({ data: x.data, shape: [2, 5, 0, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[2] must be an integer >= 1, got 0'],
  ['input.shape has zero channels', () => depthwise({ data: x.data, shape: [2, 5, 6, 0] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[3] must be an integer >= 1, got 0'],
  ['input.shape has a zero height and no batch', () => depthwise({ data: x.data, shape: [0, 6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[0] must be an integer >= 1, got 0'],
  ['input.shape has a negative batch', () => depthwise({ data: x.data, shape: [-2, 5, 6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[0] must be an integer >= 0, got -2'],
  ['input.shape has a negative width', () => depthwise({ data: x.data, shape: [2, 5, -6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[2] must be an integer >= 1, got -6'],
  ['input.shape has NaN', () => depthwise({ data: x.data, shape: [2, 5, Number.NaN, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[2] must be an integer >= 1, got NaN'],
  ['input.shape has Infinity', () => depthwise({ data: x.data, shape: [2, 5, 6, Number.POSITIVE_INFINITY] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[3] must be an integer >= 1, got Infinity'],
  ['input.shape has a fraction', () => depthwise({ data: x.data, shape: [2, 5.5, 6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[1] must be an integer >= 1, got 5.5'],
  ['input.shape has a string', () => depthwise({ data: x.data, shape: [2, '5', 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', "input.shape[1] must be an integer >= 1, got '5'"],
  ['input.shape has a bigint', () => depthwise({ data: x.data, shape: [2, 5n, 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[1] must be an integer >= 1, got 5n'],
  ['input.shape has null', () => depthwise({ data: x.data, shape: [2, null, 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[1] must be an integer >= 1, got null'],
  ['input.shape has undefined', () => depthwise({ data: x.data, shape: [2, 5, undefined, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[2] must be an integer >= 1, got undefined'],
  ['input.shape has a boolean', () => depthwise({ data: x.data, shape: [true, 5, 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[0] must be an integer >= 0, got true'],
  ['input.shape has an array', () => depthwise({ data: x.data, shape: [2, [5], 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[1] must be an integer >= 1, got [5]'],
  ['input.shape has a boxed number', () => depthwise({ data: x.data, shape: [2, Object(5), 6, 4] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[1] must be an integer >= 1, got a Number'],
  ['input.shape has a symbol', () => depthwise({ data: x.data, shape: [2, 5, 6, Symbol()] }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[3] must be an integer >= 1, got Symbol()'],
  ['input.shape has a hole', () => depthwise({ data: x.data, shape: holey(2, 5, undefined, 4) }, f), 'ERR_INVALID_ARG_TYPE', 'input.shape[2] must be an integer >= 1, got undefined; the array has a hole there'],
  ['input.shape has 2 ** 53', () => depthwise({ data: x.data, shape: [2 ** 53, 1, 1, 1] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[0] must be an integer >= 0, got 9007199254740992'],
  ['input.shape has 1e300', () => depthwise({ data: x.data, shape: [1, 1e300, 1, 1] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[1] must be an integer >= 1, got 1e+300'],
  ['input.shape has -0 as height', () => depthwise({ data: x.data, shape: [2, -0, 6, 4] }, f), 'ERR_OUT_OF_RANGE', 'input.shape[1] must be an integer >= 1, got -0'],
  ['input.shape overflows 2^53', () => depthwise({ data: x.data, shape: [2 ** 20, 2 ** 20, 2 ** 20, 4] }, f), 'ERR_OUT_OF_RANGE', 'input of [1048576,1048576,1048576,4] must have at most 2^53 - 1 elements'],
  ['input.shape wraps to the right size in 64 bits', () => depthwise({ data: x.data, shape: [2 ** 32, 2 ** 32, 1, 240] }, f), 'ERR_OUT_OF_RANGE', 'input of [4294967296,4294967296,1,240] must have at most 2^53 - 1 elements'],
  ['input.shape of an empty batch overflows 2^53', () => depthwise({ data: new Float32Array(0), shape: [0, 2 ** 30, 2 ** 30, 4] }, f), 'ERR_OUT_OF_RANGE', 'input of [0,1073741824,1073741824,4] must have at most 2^53 - 1 elements'],
  ['input.shape throws when read', () => depthwise({ data: x.data, get shape() { throw new RangeError('boom'); } }, f), 'ERR_INVALID_ARG_TYPE', 'input could not be read: boom'],
  ['an element of input.shape throws when read', () => depthwise({ data: x.data, shape: throwingArray() }, f), 'ERR_INVALID_ARG_TYPE', 'input could not be read: boom'],
  // filter
  ['filter is undefined', () => depthwise(x, undefined), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got undefined'],
  ['filter is null', () => depthwise(x, null), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got null'],
  ['filter is a bare Float32Array', () => depthwise(x, new Float32Array(72)), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got a Float32Array; add its shape: { data, shape: [ … ] }'],
  ['filter is a number', () => depthwise(x, 3), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got 3'],
  ['filter is nested arrays', () => depthwise(x, [[[[1]]]]), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got an array of 1; add its shape: { data: Float32Array.from(…), shape: [ … ] }'],
  ['filter.data is a Float64Array', () => depthwise(x, { data: new Float64Array(72), shape: f.shape }), 'ERR_INVALID_ARG_TYPE', 'filter.data must be a Float32Array, got a Float64Array; convert it: Float32Array.from(data)'],
  ['filter.data is an array', () => depthwise(x, { data: Array(72).fill(0), shape: f.shape }), 'ERR_INVALID_ARG_TYPE', 'filter.data must be a Float32Array, got an array of 72; convert it: Float32Array.from(data)'],
  ['filter.data is too short', () => depthwise(x, { data: new Float32Array(71), shape: f.shape }), 'ERR_SHAPE_MISMATCH', 'filter.data must have 72 elements for shape [3,3,4,2], got 71'],
  ['filter.data is detached', () => depthwise(x, { data: detached(72), shape: f.shape }), 'ERR_INVALID_STATE', 'filter.data has no memory any more: its buffer was transferred or shrunk'],
  ['filter.shape is missing', () => depthwise(x, { data: f.data, shape: undefined }), 'ERR_INVALID_ARG_TYPE', 'filter.shape must be an array of sizes, got undefined'],
  ['filter.shape is of rank 3', () => depthwise(x, { data: f.data, shape: [3, 3, 8] }), 'ERR_INVALID_ARG_VALUE', 'filter.shape must have 4 sizes, got [3,3,8]'],
  ['filter.shape is of rank 5', () => depthwise(x, { data: f.data, shape: [1, 3, 3, 4, 2] }), 'ERR_INVALID_ARG_VALUE', 'filter.shape must have 4 sizes, got [1,3,3,4,2]'],
  ['filter.shape is of zero height', () => depthwise(x, { data: f.data, shape: [0, 3, 4, 2] }), 'ERR_OUT_OF_RANGE', 'filter.shape[0] must be an integer >= 1, got 0'],
  ['filter.shape is of zero width', () => depthwise(x, { data: f.data, shape: [3, 0, 4, 2] }), 'ERR_OUT_OF_RANGE', 'filter.shape[1] must be an integer >= 1, got 0'],
  ['filter.shape is of no input channels', () => depthwise(x, { data: f.data, shape: [3, 3, 0, 2] }), 'ERR_OUT_OF_RANGE', 'filter.shape[2] must be an integer >= 1, got 0'],
  ['filter.shape is of multiplier 0', () => depthwise(x, { data: f.data, shape: [3, 3, 4, 0] }), 'ERR_OUT_OF_RANGE', 'filter.shape[3] must be an integer >= 1, got 0'],
  ['filter.shape is fractional', () => depthwise(x, { data: f.data, shape: [3, 3, 4, 0.5] }), 'ERR_OUT_OF_RANGE', 'filter.shape[3] must be an integer >= 1, got 0.5'],
  ['filter.shape is overflowing', () => depthwise(x, { data: f.data, shape: [2 ** 30, 2 ** 30, 4, 2] }), 'ERR_OUT_OF_RANGE', 'filter of [1073741824,1073741824,4,2] must have at most 2^53 - 1 elements'],
  ['conv2d: filter is null', () => grouped(x, null), 'ERR_INVALID_ARG_TYPE', 'filter must be a tensor { data: Float32Array, shape: number[] }, got null'],
  ['conv2d: filter.shape is of rank 2', () => grouped(x, { data: new Float32Array(9), shape: [3, 3] }), 'ERR_INVALID_ARG_VALUE', 'filter.shape must have 4 sizes, got [3,3]'],
  // filter and input
  ["the design's example", () => depthwise(x, t(3, 3, 3, 1)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 3; is the input NCHW?"],
  ['depthwise: the input is NCHW', () => depthwise(t(2, 4, 5, 6), f), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (6, the last of [2,4,5,6] in NHWC), got 4; is the input NCHW?"],
  ['depthwise: the input is NHWC', () => depthwise(x, f, { dataFormat: 'NCHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (5, the second of [2,5,6,4] in NCHW), got 4; is the input NHWC?"],
  ['depthwise: NCHW of rank 3, wrong channels', () => depthwise(t(3, 5, 6), f, { dataFormat: 'NCHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (3, the first of [3,5,6] in NCHW), got 4; is the input NHWC?"],
  ['depthwise: the filter is OIHW', () => depthwise(x, t(8, 1, 3, 3)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 3; is the filter OIHW?"],
  ['depthwise: the filter is HWIO', () => depthwise(x, t(3, 3, 4, 2), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', 'filter.shape[1] must be 1 in OIHW, which is [inC * multiplier, 1, fh, fw], got 3; is the filter HWIO, or a grouped one for conv2d?'],
  ['depthwise: the filter is HWIO with multiplier 1', () => depthwise(x, t(3, 3, 4, 1), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', 'filter.shape[1] must be 1 in OIHW, which is [inC * multiplier, 1, fh, fw], got 3; is the filter HWIO?'],
  ['depthwise: a grouped HWIO filter of one input channel', () => depthwise(x, t(3, 3, 1, 8)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 1; HWIO is [fh, fw, inC, multiplier], here [3,3,4,2]"],
  ['depthwise: a grouped HWIO filter', () => depthwise(x, t(3, 3, 2, 8)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 2; conv2d with groups: 2 takes this filter"],
  ['depthwise: fewer OIHW filters than channels', () => depthwise(x, t(2, 1, 3, 3), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[0] must be a multiple of the input's channels (4, the last of [2,5,6,4] in NHWC), got 2; fewer output than input channels need conv2d with groups"],
  ['depthwise: OIHW filters no multiple of the channels', () => depthwise(x, t(6, 1, 3, 3), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[0] must be a multiple of the input's channels (4, the last of [2,5,6,4] in NHWC), got 6; is the input NCHW?"],
  ['conv2d: the input is NCHW', () => grouped(t(2, 4, 5, 6), t(3, 3, 4, 8)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (6, the last of [2,4,5,6] in NHWC), got 4; is the input NCHW?"],
  ['conv2d: the input is NHWC', () => grouped(x, t(3, 3, 4, 8), { dataFormat: 'NCHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (5, the second of [2,5,6,4] in NCHW), got 4; is the input NHWC?"],
  ['conv2d: the filter is OIHW', () => grouped(x, t(8, 4, 3, 3)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 3; is the filter OIHW?"],
  ['conv2d: the filter is HWIO', () => grouped(x, t(3, 3, 4, 8), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[1] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 3; is the filter HWIO?"],
  ['conv2d: groups are missing', () => grouped(x, t(3, 3, 2, 8)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 2; with this filter, groups would be 2"],
  ['conv2d: groups are missing, OIHW', () => grouped(x, t(8, 2, 3, 3), { filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', "filter.shape[1] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 2; with this filter, groups would be 2"],
  ['conv2d: wrong channels', () => grouped(x, t(3, 3, 3, 8)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (4, the last of [2,5,6,4] in NHWC), got 3; is the input NCHW?"],
  ['conv2d: groups that the filter does not fit', () => grouped(x, t(3, 3, 4, 8), { groups: 2 }), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels / groups = 2 (4, the last of [2,5,6,4] in NHWC), got 4; with this filter, groups would be 1"],
  ['conv2d: groups that do not divide the output channels', () => grouped(x, t(3, 3, 1, 6), { groups: 4 }), 'ERR_SHAPE_MISMATCH', 'groups must divide the output channels (6, filter.shape[3]), got 4'],
  ['conv2d: groups that do not divide an OIHW filter that is HWIO', () => grouped(x, t(3, 3, 2, 8), { groups: 4, filterFormat: 'OIHW' }), 'ERR_SHAPE_MISMATCH', 'groups must divide the output channels (3, filter.shape[0]), got 4; is the filter HWIO?'],
  ['conv2d: groups that do not divide the input channels', () => grouped(t(2, 5, 6, 5), t(3, 3, 2, 8), { groups: 2 }), 'ERR_SHAPE_MISMATCH', "groups must divide the input's channels (5, the last of [2,5,6,5] in NHWC), got 2; is the input NCHW?"],
  ['conv2d: more groups than channels', () => grouped(x, t(3, 3, 1, 8), { groups: 8 }), 'ERR_SHAPE_MISMATCH', "groups must divide the input's channels (4, the last of [2,5,6,4] in NHWC), got 8; with this filter, groups would be 4"],
  ['the filter is higher than the input', () => depthwise(x, t(6, 3, 4, 1)), 'ERR_SHAPE_MISMATCH', "the filter's height (6) must not exceed the input's height (5); padding 'same' fits any size"],
  ['the filter is wider than the input', () => depthwise(x, t(3, 7, 4, 1)), 'ERR_SHAPE_MISMATCH', "the filter's width (7) must not exceed the input's width (6); padding 'same' fits any size"],
  ['the dilated filter is higher than the input', () => depthwise(x, f, { dilations: [3, 1] }), 'ERR_SHAPE_MISMATCH', "the filter's height (3, with dilation 3 spanning 7) must not exceed the input's height (5); padding 'same' fits any size"],
  ['the filter is higher than the padded input', () => depthwise(x, t(9, 3, 4, 1), { padding: [1, 0] }), 'ERR_SHAPE_MISMATCH', "the filter's height (9) must not exceed the input's height (5, padded to 7); padding 'same' fits any size"],
  ['conv2d: the filter is wider than the padded input', () => grouped(x, t(3, 9, 4, 1), { padding: [[0, 0], [1, 1]] }), 'ERR_SHAPE_MISMATCH', "the filter's width (9) must not exceed the input's width (6, padded to 8); padding 'same' fits any size"],
  // options
  ['options are null', () => depthwise(x, f, null), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got null; name each: { strides, padding, … }'],
  ['options are a number', () => depthwise(x, f, 1), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got 1; name each: { strides, padding, … }'],
  ['options are a string', () => depthwise(x, f, 'same'), 'ERR_INVALID_ARG_TYPE', "the options of @ must be an object, got 'same'; name each: { strides, padding, … }"],
  ['options are an array', () => depthwise(x, f, [1, 1]), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got [1,1]; name each: { strides, padding, … }'],
  ['options are a function', () => depthwise(x, f, () => ({})), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a function; name each: { strides, padding, … }'],
  ['options are a Map', () => depthwise(x, f, new Map([['strides', 2]])), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a Map; name each: { strides, padding, … }'],
  ['options are a Set', () => depthwise(x, f, new Set(['same'])), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a Set; name each: { strides, padding, … }'],
  ['options are a Float32Array', () => depthwise(x, f, new Float32Array(8)), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a Float32Array; name each: { strides, padding, … }'],
  ['options are a boolean', () => depthwise(x, f, true), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got true; name each: { strides, padding, … }'],
  ['options are a symbol', () => depthwise(x, f, Symbol()), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got Symbol(); name each: { strides, padding, … }'],
  ['options are a bigint', () => depthwise(x, f, 1n), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got 1n; name each: { strides, padding, … }'],
  ['options are a promise', () => depthwise(x, f, Promise.resolve({})), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a Promise; name each: { strides, padding, … }'],
  ['options are a Date', () => depthwise(x, f, new Date(0)), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a Date; name each: { strides, padding, … }'],
  ['options are a RegExp', () => depthwise(x, f, /same/), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a RegExp; name each: { strides, padding, … }'],
  ['options are a boxed string', () => depthwise(x, f, Object('same')), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got a String; name each: { strides, padding, … }'],
  ['options are a tensor', () => depthwise(x, f, t(8)), 'ERR_UNKNOWN_OPTION', "unknown option 'data' of @; a tensor is not options; bias and out are given by name"],
  ['options throw when their names are listed', () => depthwise(x, f, new Proxy({}, { ownKeys() { throw new Error('boom'); } })), 'ERR_INVALID_ARG_TYPE', 'the options of @ could not be read: boom'],
  ['an option throws when read', () => depthwise(x, f, { get strides() { throw new Error('boom'); } }), 'ERR_INVALID_ARG_TYPE', 'the options of @ could not be read: boom'],
  ['conv2d: options are null', () => grouped(x, g, null), 'ERR_INVALID_ARG_TYPE', 'the options of @ must be an object, got null; name each: { strides, padding, … }'],
  // unknown options
  ['depthwise: stride', () => depthwise(x, f, { 'stride': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'stride' of @; did you mean 'strides'?"],
  ['depthwise: Strides', () => depthwise(x, f, { 'Strides': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'Strides' of @; did you mean 'strides'?"],
  ['depthwise: stirdes', () => depthwise(x, f, { 'stirdes': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'stirdes' of @; did you mean 'strides'?"],
  ['depthwise: subsample', () => depthwise(x, f, { 'subsample': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'subsample' of @; did you mean 'strides'?"],
  ['depthwise: pad', () => depthwise(x, f, { 'pad': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'pad' of @; did you mean 'padding'?"],
  ['depthwise: pads', () => depthwise(x, f, { 'pads': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'pads' of @; did you mean 'padding'?"],
  ['depthwise: Padding', () => depthwise(x, f, { 'Padding': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'Padding' of @; did you mean 'padding'?"],
  ['depthwise: auto_pad', () => depthwise(x, f, { 'auto_pad': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'auto_pad' of @; did you mean 'padding'?"],
  ['depthwise: dilation', () => depthwise(x, f, { 'dilation': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'dilation' of @; did you mean 'dilations'?"],
  ['depthwise: rate', () => depthwise(x, f, { 'rate': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'rate' of @; did you mean 'dilations'?"],
  ['depthwise: dilation_rate', () => depthwise(x, f, { 'dilation_rate': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'dilation_rate' of @; did you mean 'dilations'?"],
  ['depthwise: format', () => depthwise(x, f, { 'format': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'format' of @; did you mean 'dataFormat'?"],
  ['depthwise: data_format', () => depthwise(x, f, { 'data_format': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'data_format' of @; did you mean 'dataFormat'?"],
  ['depthwise: dataformat', () => depthwise(x, f, { 'dataformat': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'dataformat' of @; did you mean 'dataFormat'?"],
  ['depthwise: DataFormat', () => depthwise(x, f, { 'DataFormat': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'DataFormat' of @; did you mean 'dataFormat'?"],
  ['depthwise: layout', () => depthwise(x, f, { 'layout': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'layout' of @; did you mean 'dataFormat'?"],
  ['depthwise: filter_format', () => depthwise(x, f, { 'filter_format': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'filter_format' of @; did you mean 'filterFormat'?"],
  ['depthwise: group', () => depthwise(x, f, { 'group': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'group' of @; did you mean 'groups'? a depthwise convolution has a group for each input channel; conv2d takes 'groups'"],
  ['depthwise: act', () => depthwise(x, f, { 'act': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'act' of @; did you mean 'activation'?"],
  ['depthwise: activationFn', () => depthwise(x, f, { 'activationFn': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'activationFn' of @; did you mean 'activation'?"],
  ['depthwise: activation_fn', () => depthwise(x, f, { 'activation_fn': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'activation_fn' of @; did you mean 'activation'?"],
  ['depthwise: Bias', () => depthwise(x, f, { 'Bias': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'Bias' of @; did you mean 'bias'?"],
  ['depthwise: use_bias', () => depthwise(x, f, { 'use_bias': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'use_bias' of @; did you mean 'bias'?"],
  ['depthwise: kernel_size', () => depthwise(x, f, { 'kernel_size': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'kernel_size' of @; the filter's shape tells its size"],
  ['depthwise: filters', () => depthwise(x, f, { 'filters': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'filters' of @; the filter's shape tells the number of output channels"],
  ['depthwise: in_channels', () => depthwise(x, f, { 'in_channels': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'in_channels' of @; the input's shape tells its channels"],
  ['depthwise: out_channels', () => depthwise(x, f, { 'out_channels': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'out_channels' of @; the filter's shape tells the number of output channels"],
  ['depthwise: depth_multiplier', () => depthwise(x, f, { 'depth_multiplier': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'depth_multiplier' of @; the filter's shape tells the channel multiplier"],
  ['depthwise: channelMultiplier', () => depthwise(x, f, { 'channelMultiplier': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'channelMultiplier' of @; the filter's shape tells the channel multiplier"],
  ['depthwise: alpha', () => depthwise(x, f, { 'alpha': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'alpha' of @; it belongs to the activation: { type: 'leakyRelu', alpha }"],
  ['depthwise: threads', () => depthwise(x, f, { 'threads': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'threads' of @; setThreads(n) sets the number of threads"],
  ['depthwise: foo', () => depthwise(x, f, { 'foo': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'foo' of @"],
  ['depthwise: x', () => depthwise(x, f, { 'x': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'x' of @"],
  ['depthwise: a\u0000b', () => depthwise(x, f, { 'a\u0000b': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'a\u0000b' of @"],
  ['depthwise: constructor', () => depthwise(x, f, { 'constructor': 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'constructor' of @"],
  ['depthwise: a long name', () => depthwise(x, f, { ['stride'.repeat(1000)]: 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'stridestridestridestridestridestridestri…' of @"],
  ['depthwise: groups', () => depthwise(x, f, { groups: 4 }), 'ERR_UNKNOWN_OPTION', "unknown option 'groups' of @; a depthwise convolution has a group for each input channel; conv2d takes 'groups'"],
  ['depthwise: num_groups', () => depthwise(x, f, { num_groups: 4 }), 'ERR_UNKNOWN_OPTION', "unknown option 'num_groups' of @; did you mean 'groups'? a depthwise convolution has a group for each input channel; conv2d takes 'groups'"],
  ['conv2d: group', () => grouped(x, g, { group: 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'group' of @; did you mean 'groups'?"],
  ['conv2d: num_groups', () => grouped(x, g, { num_groups: 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'num_groups' of @; did you mean 'groups'?"],
  ['conv2d: Groups', () => grouped(x, g, { Groups: 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'Groups' of @; did you mean 'groups'?"],
  ['depthwise: algorithm', () => depthwise(x, f, { algorithm: 'winograd' }), 'ERR_UNKNOWN_OPTION', "unknown option 'algorithm' of @; only conv2d has one: it doesn't help a depthwise convolution"],
  ['conv2d: algo', () => grouped(x, g, { algo: 'winograd' }), 'ERR_UNKNOWN_OPTION', "unknown option 'algo' of @; did you mean 'algorithm'?"],
  ['conv2d: stride', () => grouped(x, g, { stride: 1 }), 'ERR_UNKNOWN_OPTION', "unknown option 'stride' of @; did you mean 'strides'?"],
  ['an inherited name', () => depthwise(x, f, Object.create({ stride: 2 })), 'ERR_UNKNOWN_OPTION', "unknown option 'stride' of @; did you mean 'strides'?"],
  ["a class's field", () => depthwise(x, f, new (class { pad = 1; })()), 'ERR_UNKNOWN_OPTION', "unknown option 'pad' of @; did you mean 'padding'?"],
  ['sync: output', () => depthwiseConv2dSync(x, f, { output: t(2, 3, 4, 8) }), 'ERR_UNKNOWN_OPTION', "unknown option 'output' of depthwiseConv2dSync; did you mean 'out'?"],
  ['sync: OUT', () => conv2dSync(x, g, { OUT: t(2, 3, 4, 4) }), 'ERR_UNKNOWN_OPTION', "unknown option 'OUT' of conv2dSync; did you mean 'out'?"],
  ['sync: abortSignal', () => conv2dSync(x, g, { abortSignal: new AbortController().signal }), 'ERR_UNKNOWN_OPTION', "unknown option 'abortSignal' of conv2dSync; did you mean 'signal'? 'signal' needs an asynchronous call: a synchronous one can't be aborted"],
  ['constructor: dst', () => new Conv2d(g, { dst: t(2, 3, 4, 4) }), 'ERR_UNKNOWN_OPTION', "unknown option 'dst' of new Conv2d; did you mean 'out'? 'out' is given to each call of run or runSync"],
  ['sync: signal', () => depthwiseConv2dSync(x, f, { signal: new AbortController().signal }), 'ERR_UNKNOWN_OPTION', "unknown option 'signal' of depthwiseConv2dSync; 'signal' needs an asynchronous call: a synchronous one can't be aborted"],
  ['sync: conv2d signal', () => conv2dSync(x, g, { signal: new AbortController().signal }), 'ERR_UNKNOWN_OPTION', "unknown option 'signal' of conv2dSync; 'signal' needs an asynchronous call: a synchronous one can't be aborted"],
  ['constructor: out', () => new DepthwiseConv2d(f, { out: t(2, 3, 4, 8) }), 'ERR_UNKNOWN_OPTION', "unknown option 'out' of new DepthwiseConv2d; 'out' is given to each call of run or runSync"],
  ['constructor: signal', () => new Conv2d(g, { signal: new AbortController().signal }), 'ERR_UNKNOWN_OPTION', "unknown option 'signal' of new Conv2d; 'signal' is given to each call of run"],
  ['constructor: algorithm', () => new DepthwiseConv2d(f, { algorithm: 'direct' }), 'ERR_UNKNOWN_OPTION', "unknown option 'algorithm' of new DepthwiseConv2d; only conv2d has one: it doesn't help a depthwise convolution"],
  ['constructor: groups', () => new DepthwiseConv2d(f, { groups: 4 }), 'ERR_UNKNOWN_OPTION', "unknown option 'groups' of new DepthwiseConv2d; a depthwise convolution has a group for each input channel; conv2d takes 'groups'"],
  ['runSync: strides', () => layer.runSync(x, { strides: 2 }), 'ERR_UNKNOWN_OPTION', "unknown option 'strides' of runSync; 'strides' is given to the constructor"],
  ['runSync: pad', () => layer.runSync(x, { pad: 2 }), 'ERR_UNKNOWN_OPTION', "unknown option 'pad' of runSync; did you mean 'padding'? 'padding' is given to the constructor"],
  ['runSync: signal', () => layer.runSync(x, { signal: new AbortController().signal }), 'ERR_UNKNOWN_OPTION', "unknown option 'signal' of runSync; 'signal' needs an asynchronous call: a synchronous one can't be aborted"],
  ['runSync: a tensor', () => layer.runSync(x, t(2, 3, 4, 8)), 'ERR_UNKNOWN_OPTION', "unknown option 'data' of runSync; a tensor is not options; bias and out are given by name"],
  ['runSync: output', () => layer.runSync(x, { output: t(2, 3, 4, 8) }), 'ERR_UNKNOWN_OPTION', "unknown option 'output' of runSync; did you mean 'out'?"],
  ['runSync: options are null', () => layer.runSync(x, null), 'ERR_INVALID_ARG_TYPE', 'the options of runSync must be an object, got null; name each: { out, … }'],
  ['runSync: options are a Float32Array', () => layer.runSync(x, new Float32Array(192)), 'ERR_INVALID_ARG_TYPE', 'the options of runSync must be an object, got a Float32Array; name each: { out, … }'],
  // strides and dilations
  ['strides: 0', () => depthwise(x, f, { strides: 0 }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got 0'],
  ['strides: negative', () => depthwise(x, f, { strides: -1 }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got -1'],
  ['strides: a fraction', () => depthwise(x, f, { strides: 1.5 }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got 1.5'],
  ['strides: NaN', () => depthwise(x, f, { strides: Number.NaN }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got NaN'],
  ['strides: Infinity', () => depthwise(x, f, { strides: Number.POSITIVE_INFINITY }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got Infinity'],
  ['strides: -0', () => depthwise(x, f, { strides: -0 }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got -0'],
  ['strides: 2 ** 53', () => depthwise(x, f, { strides: 2 ** 53 }), 'ERR_OUT_OF_RANGE', 'strides must be an integer >= 1, got 9007199254740992'],
  ['strides: a string', () => depthwise(x, f, { strides: '2' }), 'ERR_INVALID_ARG_TYPE', "strides must be an integer >= 1 or [height, width], got '2'"],
  ['strides: null', () => depthwise(x, f, { strides: null }), 'ERR_INVALID_ARG_TYPE', 'strides must be an integer >= 1 or [height, width], got null'],
  ['strides: a bigint', () => depthwise(x, f, { strides: 2n }), 'ERR_INVALID_ARG_TYPE', 'strides must be an integer >= 1 or [height, width], got 2n'],
  ['strides: a boolean', () => depthwise(x, f, { strides: true }), 'ERR_INVALID_ARG_TYPE', 'strides must be an integer >= 1 or [height, width], got true'],
  ['strides: empty', () => depthwise(x, f, { strides: [] }), 'ERR_INVALID_ARG_VALUE', 'strides must be an integer >= 1 or [height, width], got []'],
  ['strides: one element', () => depthwise(x, f, { strides: [2] }), 'ERR_INVALID_ARG_VALUE', 'strides must be an integer >= 1 or [height, width], got [2]'],
  ['strides: three elements', () => depthwise(x, f, { strides: [1, 2, 2] }), 'ERR_INVALID_ARG_VALUE', 'strides must be an integer >= 1 or [height, width], got [1,2,2]'],
  ["strides: TensorFlow's", () => depthwise(x, f, { strides: [1, 2, 2, 1] }), 'ERR_INVALID_ARG_VALUE', "strides must be an integer >= 1 or [height, width], got [1,2,2,1]; TensorFlow's [1, h, w, 1] is [h, w] here"],
  ['strides: [0, 1]', () => depthwise(x, f, { strides: [0, 1] }), 'ERR_OUT_OF_RANGE', 'strides[0] must be an integer >= 1, got 0'],
  ['strides: [1, -1]', () => depthwise(x, f, { strides: [1, -1] }), 'ERR_OUT_OF_RANGE', 'strides[1] must be an integer >= 1, got -1'],
  ["strides: [1, '2']", () => depthwise(x, f, { strides: [1, '2'] }), 'ERR_INVALID_ARG_TYPE', "strides[1] must be an integer >= 1, got '2'"],
  ['strides: holes', () => depthwise(x, f, { strides: holey(undefined, undefined) }), 'ERR_INVALID_ARG_TYPE', 'strides[0] must be an integer >= 1, got undefined'],
  ['strides: nested', () => depthwise(x, f, { strides: [[1, 1], [1, 1]] }), 'ERR_INVALID_ARG_TYPE', 'strides[0] must be an integer >= 1, got [1,1]'],
  ['strides: a typed array', () => depthwise(x, f, { strides: Int32Array.of(2, 2) }), 'ERR_INVALID_ARG_TYPE', 'strides must be an integer >= 1 or [height, width], got an Int32Array'],
  ['strides: an object', () => depthwise(x, f, { strides: { h: 1, w: 1 } }), 'ERR_INVALID_ARG_TYPE', 'strides must be an integer >= 1 or [height, width], got an object'],
  ['dilations: 0', () => depthwise(x, f, { dilations: 0 }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got 0'],
  ['dilations: negative', () => depthwise(x, f, { dilations: -1 }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got -1'],
  ['dilations: a fraction', () => depthwise(x, f, { dilations: 1.5 }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got 1.5'],
  ['dilations: NaN', () => depthwise(x, f, { dilations: Number.NaN }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got NaN'],
  ['dilations: Infinity', () => depthwise(x, f, { dilations: Number.POSITIVE_INFINITY }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got Infinity'],
  ['dilations: -0', () => depthwise(x, f, { dilations: -0 }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got -0'],
  ['dilations: 2 ** 53', () => depthwise(x, f, { dilations: 2 ** 53 }), 'ERR_OUT_OF_RANGE', 'dilations must be an integer >= 1, got 9007199254740992'],
  ['dilations: a string', () => depthwise(x, f, { dilations: '2' }), 'ERR_INVALID_ARG_TYPE', "dilations must be an integer >= 1 or [height, width], got '2'"],
  ['dilations: null', () => depthwise(x, f, { dilations: null }), 'ERR_INVALID_ARG_TYPE', 'dilations must be an integer >= 1 or [height, width], got null'],
  ['dilations: a bigint', () => depthwise(x, f, { dilations: 2n }), 'ERR_INVALID_ARG_TYPE', 'dilations must be an integer >= 1 or [height, width], got 2n'],
  ['dilations: a boolean', () => depthwise(x, f, { dilations: true }), 'ERR_INVALID_ARG_TYPE', 'dilations must be an integer >= 1 or [height, width], got true'],
  ['dilations: empty', () => depthwise(x, f, { dilations: [] }), 'ERR_INVALID_ARG_VALUE', 'dilations must be an integer >= 1 or [height, width], got []'],
  ['dilations: one element', () => depthwise(x, f, { dilations: [2] }), 'ERR_INVALID_ARG_VALUE', 'dilations must be an integer >= 1 or [height, width], got [2]'],
  ['dilations: three elements', () => depthwise(x, f, { dilations: [1, 2, 2] }), 'ERR_INVALID_ARG_VALUE', 'dilations must be an integer >= 1 or [height, width], got [1,2,2]'],
  ["dilations: TensorFlow's", () => depthwise(x, f, { dilations: [1, 2, 2, 1] }), 'ERR_INVALID_ARG_VALUE', "dilations must be an integer >= 1 or [height, width], got [1,2,2,1]; TensorFlow's [1, h, w, 1] is [h, w] here"],
  ['dilations: [0, 1]', () => depthwise(x, f, { dilations: [0, 1] }), 'ERR_OUT_OF_RANGE', 'dilations[0] must be an integer >= 1, got 0'],
  ['dilations: [1, -1]', () => depthwise(x, f, { dilations: [1, -1] }), 'ERR_OUT_OF_RANGE', 'dilations[1] must be an integer >= 1, got -1'],
  ["dilations: [1, '2']", () => depthwise(x, f, { dilations: [1, '2'] }), 'ERR_INVALID_ARG_TYPE', "dilations[1] must be an integer >= 1, got '2'"],
  ['dilations: holes', () => depthwise(x, f, { dilations: holey(undefined, undefined) }), 'ERR_INVALID_ARG_TYPE', 'dilations[0] must be an integer >= 1, got undefined'],
  ['dilations: nested', () => depthwise(x, f, { dilations: [[1, 1], [1, 1]] }), 'ERR_INVALID_ARG_TYPE', 'dilations[0] must be an integer >= 1, got [1,1]'],
  ['dilations: a typed array', () => depthwise(x, f, { dilations: Int32Array.of(2, 2) }), 'ERR_INVALID_ARG_TYPE', 'dilations must be an integer >= 1 or [height, width], got an Int32Array'],
  ['dilations: an object', () => depthwise(x, f, { dilations: { h: 1, w: 1 } }), 'ERR_INVALID_ARG_TYPE', 'dilations must be an integer >= 1 or [height, width], got an object'],
  // padding
  ['padding: an unknown name', () => depthwise(x, f, { padding: 'full' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'full'"],
  ['padding: SAME', () => depthwise(x, f, { padding: 'SAME' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'SAME'; did you mean 'same'?"],
  ['padding: VALID', () => depthwise(x, f, { padding: 'VALID' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'VALID'; did you mean 'valid'?"],
  ['padding: SAME_UPPER', () => depthwise(x, f, { padding: 'SAME_UPPER' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'SAME_UPPER'; did you mean 'same'?"],
  ['padding: same_lower', () => depthwise(x, f, { padding: 'same_lower' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'same_lower'; did you mean 'same-lower'?"],
  ['padding: explicit', () => depthwise(x, f, { padding: 'explicit' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'explicit'"],
  ['padding: an empty name', () => depthwise(x, f, { padding: '' }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got ''"],
  ['padding: a long name', () => depthwise(x, f, { padding: 'same'.repeat(50) }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same' or 'same-lower', got 'samesamesamesamesamesamesamesamesamesame…'"],
  ['padding: negative', () => depthwise(x, f, { padding: -1 }), 'ERR_OUT_OF_RANGE', 'padding must be an integer >= 0, got -1'],
  ['padding: a fraction', () => depthwise(x, f, { padding: 0.5 }), 'ERR_OUT_OF_RANGE', 'padding must be an integer >= 0, got 0.5'],
  ['padding: NaN', () => depthwise(x, f, { padding: Number.NaN }), 'ERR_OUT_OF_RANGE', 'padding must be an integer >= 0, got NaN'],
  ['padding: Infinity', () => depthwise(x, f, { padding: Number.POSITIVE_INFINITY }), 'ERR_OUT_OF_RANGE', 'padding must be an integer >= 0, got Infinity'],
  ['padding: 2 ** 53', () => depthwise(x, f, { padding: 2 ** 53 }), 'ERR_OUT_OF_RANGE', 'padding must be an integer >= 0, got 9007199254740992'],
  ['padding: null', () => depthwise(x, f, { padding: null }), 'ERR_INVALID_ARG_TYPE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got null"],
  ['padding: a bigint', () => depthwise(x, f, { padding: 1n }), 'ERR_INVALID_ARG_TYPE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got 1n"],
  ['padding: a boolean', () => depthwise(x, f, { padding: true }), 'ERR_INVALID_ARG_TYPE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got true"],
  ['padding: an object', () => depthwise(x, f, { padding: { top: 1 } }), 'ERR_INVALID_ARG_TYPE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got an object"],
  ['padding: empty', () => depthwise(x, f, { padding: [] }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got []"],
  ['padding: one element', () => depthwise(x, f, { padding: [1] }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got [1]"],
  ["padding: ONNX's", () => depthwise(x, f, { padding: [1, 1, 1, 1] }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got [1,1,1,1]; ONNX's [top, left, bottom, right] and TensorFlow's list of pairs are [[top, bottom], [left, right]] here"],
  ["padding: TensorFlow's", () => depthwise(x, f, { padding: [[0, 0], [1, 1], [1, 1], [0, 0]] }), 'ERR_INVALID_ARG_VALUE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got an array of 4; ONNX's [top, left, bottom, right] and TensorFlow's list of pairs are [[top, bottom], [left, right]] here"],
  ['padding: [-1, 0]', () => depthwise(x, f, { padding: [-1, 0] }), 'ERR_OUT_OF_RANGE', 'padding[0] must be an integer >= 0, got -1'],
  ['padding: [0, NaN]', () => depthwise(x, f, { padding: [0, Number.NaN] }), 'ERR_OUT_OF_RANGE', 'padding[1] must be an integer >= 0, got NaN'],
  ["padding: ['1', 0]", () => depthwise(x, f, { padding: ['1', 0] }), 'ERR_INVALID_ARG_TYPE', "padding[0] must be an integer >= 0, got '1'"],
  ['padding: mixed', () => depthwise(x, f, { padding: [1, [1, 1]] }), 'ERR_INVALID_ARG_TYPE', 'padding[0] must be [top, bottom], got 1'],
  ['padding: mixed the other way', () => depthwise(x, f, { padding: [[1, 1], 1] }), 'ERR_INVALID_ARG_TYPE', 'padding[1] must be [left, right], got 1'],
  ['padding: pairs of one', () => depthwise(x, f, { padding: [[1], [1]] }), 'ERR_INVALID_ARG_VALUE', 'padding[0] must be [top, bottom], got [1]'],
  ['padding: pairs of three', () => depthwise(x, f, { padding: [[1, 1, 1], [1, 1, 1]] }), 'ERR_INVALID_ARG_VALUE', 'padding[0] must be [top, bottom], got [1,1,1]'],
  ['padding: negative pairs', () => depthwise(x, f, { padding: [[0, -1], [0, 0]] }), 'ERR_OUT_OF_RANGE', 'padding[0][1] must be an integer >= 0, got -1'],
  ['padding: fractional pairs', () => depthwise(x, f, { padding: [[0, 0], [0.5, 0]] }), 'ERR_OUT_OF_RANGE', 'padding[1][0] must be an integer >= 0, got 0.5'],
  ['padding: strings in pairs', () => depthwise(x, f, { padding: [[0, 0], ['0', 0]] }), 'ERR_INVALID_ARG_TYPE', "padding[1][0] must be an integer >= 0, got '0'"],
  ['padding: null in pairs', () => depthwise(x, f, { padding: [[0, 0], null] }), 'ERR_INVALID_ARG_TYPE', 'padding[1] must be [left, right], got null'],
  ['padding: a hole', () => depthwise(x, f, { padding: holey(1, undefined) }), 'ERR_INVALID_ARG_TYPE', 'padding[1] must be an integer >= 0, got undefined'],
  ['padding: beyond 2^53 with the input', () => depthwise(x, f, { padding: [[2 ** 53 - 1, 1], [0, 0]] }), 'ERR_OUT_OF_RANGE', "the padded input's height must be at most 2^53 - 1, got about 9007199254740996; check padding and dilations"],
  ['padding: an output beyond 2^53', () => depthwise(x, f, { padding: 2 ** 40 }), 'ERR_OUT_OF_RANGE', 'the padded input of [2,2199023255557,2199023255558,4] must have at most 2^53 - 1 elements'],
  ['padding: a boxed string', () => depthwise(x, f, { padding: Object('same') }), 'ERR_INVALID_ARG_TYPE', "padding must be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]], got a String"],
  ['padding: an output that no memory holds', () => depthwise(x, f, { padding: 2 ** 23 }), 'ERR_OUT_OF_MEMORY', 'cannot allocate the output of [2,16777219,16777220,8]'],
  ['padding: an output that no array holds', () => depthwiseConv2dSync(x, f, { padding: [2 ** 20, 2 ** 16] }), 'ERR_OUT_OF_MEMORY', 'cannot allocate the output of [2,2097155,131076,8]'],
  ["dilations: beyond 2^53 with padding 'same'", () => depthwise(x, f, { dilations: 2 ** 53 - 1, padding: 'same' }), 'ERR_OUT_OF_RANGE', "the padded input's height must be at most 2^53 - 1, got about 18014398509481988; check padding and dilations"],
  // formats and groups
  ['dataFormat: lower case', () => depthwise(x, f, { dataFormat: 'nhwc' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got 'nhwc'; did you mean 'NHWC'?"],
  ['dataFormat: channels_last', () => depthwise(x, f, { dataFormat: 'channels_last' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got 'channels_last'; did you mean 'NHWC'?"],
  ['dataFormat: channelsFirst', () => depthwise(x, f, { dataFormat: 'channelsFirst' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got 'channelsFirst'; did you mean 'NCHW'?"],
  ['dataFormat: CHW', () => depthwise(x, f, { dataFormat: 'CHW' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got 'CHW'; did you mean 'NCHW'?"],
  ['dataFormat: another', () => depthwise(x, f, { dataFormat: 'NDHWC' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got 'NDHWC'; did you mean 'NHWC'?"],
  ['dataFormat: null', () => depthwise(x, f, { dataFormat: null }), 'ERR_INVALID_ARG_TYPE', "dataFormat must be 'NHWC' or 'NCHW', got null"],
  ['dataFormat: a number', () => depthwise(x, f, { dataFormat: 0 }), 'ERR_INVALID_ARG_TYPE', "dataFormat must be 'NHWC' or 'NCHW', got 0"],
  ['dataFormat: an array', () => depthwise(x, f, { dataFormat: ['NHWC'] }), 'ERR_INVALID_ARG_TYPE', "dataFormat must be 'NHWC' or 'NCHW', got an array of 1"],
  ['dataFormat: empty', () => depthwise(x, f, { dataFormat: '' }), 'ERR_INVALID_ARG_VALUE', "dataFormat must be 'NHWC' or 'NCHW', got ''"],
  ['filterFormat: lower case', () => depthwise(x, f, { filterFormat: 'oihw' }), 'ERR_INVALID_ARG_VALUE', "filterFormat must be 'HWIO' or 'OIHW', got 'oihw'; did you mean 'OIHW'?"],
  ['filterFormat: HWCM', () => depthwise(x, f, { filterFormat: 'HWCM' }), 'ERR_INVALID_ARG_VALUE', "filterFormat must be 'HWIO' or 'OIHW', got 'HWCM'; did you mean 'HWIO'?"],
  ['filterFormat: another', () => depthwise(x, f, { filterFormat: 'IOHW' }), 'ERR_INVALID_ARG_VALUE', "filterFormat must be 'HWIO' or 'OIHW', got 'IOHW'; did you mean 'OIHW'?"],
  ['filterFormat: null', () => depthwise(x, f, { filterFormat: null }), 'ERR_INVALID_ARG_TYPE', "filterFormat must be 'HWIO' or 'OIHW', got null"],
  ['filterFormat: a boolean', () => depthwise(x, f, { filterFormat: false }), 'ERR_INVALID_ARG_TYPE', "filterFormat must be 'HWIO' or 'OIHW', got false"],
  ['algorithm: another', () => grouped(x, g, { algorithm: 'fft' }), 'ERR_INVALID_ARG_VALUE', "algorithm must be 'direct' or 'winograd', got 'fft'"],
  ['algorithm: upper case', () => grouped(x, g, { algorithm: 'Winograd' }), 'ERR_INVALID_ARG_VALUE', "algorithm must be 'direct' or 'winograd', got 'Winograd'; did you mean 'winograd'?"],
  ['algorithm: null', () => grouped(x, g, { algorithm: null }), 'ERR_INVALID_ARG_TYPE', "algorithm must be 'direct' or 'winograd', got null"],
  ['algorithm: a boolean', () => grouped(x, g, { algorithm: true }), 'ERR_INVALID_ARG_TYPE', "algorithm must be 'direct' or 'winograd', got true"],
  ['groups: 0', () => grouped(x, g, { groups: 0 }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got 0'],
  ['groups: negative', () => grouped(x, g, { groups: -2 }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got -2'],
  ['groups: a fraction', () => grouped(x, g, { groups: 1.5 }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got 1.5'],
  ['groups: NaN', () => grouped(x, g, { groups: Number.NaN }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got NaN'],
  ['groups: Infinity', () => grouped(x, g, { groups: Number.POSITIVE_INFINITY }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got Infinity'],
  ['groups: a string', () => grouped(x, g, { groups: '2' }), 'ERR_INVALID_ARG_TYPE', "groups must be an integer >= 1, got '2'"],
  ['groups: null', () => grouped(x, g, { groups: null }), 'ERR_INVALID_ARG_TYPE', 'groups must be an integer >= 1, got null'],
  ['groups: a bigint', () => grouped(x, g, { groups: 2n }), 'ERR_INVALID_ARG_TYPE', 'groups must be an integer >= 1, got 2n'],
  ['groups: an array', () => grouped(x, g, { groups: [2] }), 'ERR_INVALID_ARG_TYPE', 'groups must be an integer >= 1, got [2]'],
  ['groups: huge', () => grouped(x, g, { groups: 2 ** 53 }), 'ERR_OUT_OF_RANGE', 'groups must be an integer >= 1, got 9007199254740992'],
  // bias
  ['bias: null', () => depthwise(x, f, { bias: null }), 'ERR_INVALID_ARG_TYPE', 'bias must be a Float32Array or a tensor { data, shape }, got null'],
  ['bias: a number', () => depthwise(x, f, { bias: 1 }), 'ERR_INVALID_ARG_TYPE', 'bias must be a Float32Array or a tensor { data, shape }, got 1'],
  ['bias: an array', () => depthwise(x, f, { bias: [0, 0, 0, 0, 0, 0, 0, 0] }), 'ERR_INVALID_ARG_TYPE', 'bias must be a Float32Array or a tensor { data, shape }, got [0,0,0,0,0,0,0,0]; convert it: Float32Array.from(data)'],
  ['bias: a Float64Array', () => depthwise(x, f, { bias: new Float64Array(8) }), 'ERR_INVALID_ARG_TYPE', 'bias must be a Float32Array or a tensor { data, shape }, got a Float64Array; convert it: Float32Array.from(data)'],
  ['bias: too short', () => depthwise(x, f, { bias: new Float32Array(7) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 8 output channels, got 7'],
  ['bias: too long', () => depthwise(x, f, { bias: new Float32Array(9) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 8 output channels, got 9'],
  ['bias: as many as the input channels', () => depthwise(x, f, { bias: new Float32Array(4) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 8 output channels, got 4'],
  ['bias: empty', () => depthwise(x, f, { bias: new Float32Array(0) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 8 output channels, got 0'],
  ['bias: detached', () => depthwise(x, f, { bias: detached(8) }), 'ERR_INVALID_STATE', 'bias has no memory any more: its buffer was transferred or shrunk'],
  ['bias: a tensor of the wrong size', () => depthwise(x, f, { bias: t(4) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 8 output channels, got 4'],
  ['bias: a tensor whose data does not fit', () => depthwise(x, f, { bias: { data: new Float32Array(8), shape: [4] } }), 'ERR_SHAPE_MISMATCH', 'bias.data must have 4 elements for shape [4], got 8'],
  ['bias: a tensor without shape', () => depthwise(x, f, { bias: { data: new Float32Array(8) } }), 'ERR_INVALID_ARG_TYPE', 'bias.shape must be an array of sizes, got undefined'],
  ['bias: a tensor of Float64Array', () => depthwise(x, f, { bias: { data: new Float64Array(8), shape: [8] } }), 'ERR_INVALID_ARG_TYPE', 'bias.data must be a Float32Array, got a Float64Array; convert it: Float32Array.from(data)'],
  ['bias: a tensor of no size', () => depthwise(x, f, { bias: { data: new Float32Array(1), shape: [] } }), 'ERR_INVALID_ARG_VALUE', 'bias.shape must have 1 to 8 sizes, got []'],
  ['bias: true', () => depthwise(x, f, { bias: true }), 'ERR_INVALID_ARG_TYPE', 'bias must be a Float32Array or a tensor { data, shape }, got true'],
  ['bias: a string', () => depthwise(x, f, { bias: 'zeros' }), 'ERR_INVALID_ARG_TYPE', "bias must be a Float32Array or a tensor { data, shape }, got 'zeros'"],
  ['conv2d: bias too short', () => grouped(x, g, { bias: new Float32Array(3) }), 'ERR_SHAPE_MISMATCH', 'bias must have one value for each of the 4 output channels, got 3'],
  // activation
  ['activation: an unknown name', () => depthwise(x, f, { activation: 'softmax' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'softmax'"],
  ['activation: ReLU', () => depthwise(x, f, { activation: 'ReLU' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'ReLU'; did you mean 'relu'?"],
  ['activation: swish', () => depthwise(x, f, { activation: 'swish' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'swish'; did you mean 'silu'?"],
  ['activation: hard_swish', () => depthwise(x, f, { activation: 'hard_swish' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'hard_swish'; did you mean 'hardSwish'?"],
  ['activation: leaky_relu', () => depthwise(x, f, { activation: 'leaky_relu' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'leaky_relu'; did you mean 'leakyRelu'?"],
  ['activation: rleu', () => depthwise(x, f, { activation: 'rleu' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'rleu'; did you mean 'relu'?"],
  ['activation: empty', () => depthwise(x, f, { activation: '' }), 'ERR_INVALID_ARG_VALUE', "activation must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got ''"],
  ['activation: leakyRelu without alpha', () => depthwise(x, f, { activation: 'leakyRelu' }), 'ERR_INVALID_ARG_VALUE', "activation must be an object for 'leakyRelu', got 'leakyRelu'; write { type: 'leakyRelu', alpha: 0.01 }"],
  ['activation: prelu without alpha', () => depthwise(x, f, { activation: 'prelu' }), 'ERR_INVALID_ARG_VALUE', "activation must be an object for 'prelu', got 'prelu'; write { type: 'prelu', alpha: new Float32Array(outChannels) }"],
  ['activation: clip without bounds', () => depthwise(x, f, { activation: 'clip' }), 'ERR_INVALID_ARG_VALUE', "activation must be an object for 'clip', got 'clip'; write { type: 'clip', min: 0, max: 6 }"],
  ['activation: null', () => depthwise(x, f, { activation: null }), 'ERR_INVALID_ARG_TYPE', "activation must be a name or { type: … }, such as 'relu', got null"],
  ['activation: a number', () => depthwise(x, f, { activation: 1 }), 'ERR_INVALID_ARG_TYPE', "activation must be a name or { type: … }, such as 'relu', got 1"],
  ['activation: a function', () => depthwise(x, f, { activation: (v: number) => Math.max(v, 0) }), 'ERR_INVALID_ARG_TYPE', "activation must be a name or { type: … }, such as 'relu', got a function"],
  ['activation: an array', () => depthwise(x, f, { activation: ['relu'] }), 'ERR_INVALID_ARG_TYPE', "activation must be a name or { type: … }, such as 'relu', got an array of 1"],
  ['activation: true', () => depthwise(x, f, { activation: true }), 'ERR_INVALID_ARG_TYPE', "activation must be a name or { type: … }, such as 'relu', got true"],
  ['activation: an object without type', () => depthwise(x, f, { activation: {} }), 'ERR_INVALID_ARG_TYPE', "activation.type must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got undefined"],
  ['activation: type: null', () => depthwise(x, f, { activation: { type: null } }), 'ERR_INVALID_ARG_TYPE', "activation.type must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got null"],
  ['activation: type: a number', () => depthwise(x, f, { activation: { type: 1 } }), 'ERR_INVALID_ARG_TYPE', "activation.type must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 1"],
  ['activation: type: unknown', () => depthwise(x, f, { activation: { type: 'foo' } }), 'ERR_INVALID_ARG_VALUE', "activation.type must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'foo'"],
  ['activation: type: inherited name', () => depthwise(x, f, { activation: { type: 'toString' } }), 'ERR_INVALID_ARG_VALUE', "activation.type must be 'linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu', 'leakyRelu', 'prelu' or 'clip', got 'toString'"],
  ['activation: relu with alpha', () => depthwise(x, f, { activation: { type: 'relu', alpha: 0.1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'alpha' of activation 'relu'; 'relu' takes no parameters"],
  ['activation: linear with anything', () => depthwise(x, f, { activation: { type: 'linear', slope: 1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'slope' of activation 'linear'; 'linear' takes no parameters"],
  ['activation: leakyRelu without alpha, as an object', () => depthwise(x, f, { activation: { type: 'leakyRelu' } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a finite float32 number, got undefined'],
  ['activation: leakyRelu with a string', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: '0.1' } }), 'ERR_INVALID_ARG_TYPE', "activation.alpha must be a finite float32 number, got '0.1'"],
  ['activation: leakyRelu with NaN', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: Number.NaN } }), 'ERR_OUT_OF_RANGE', 'activation.alpha must be a finite float32 number, got NaN'],
  ['activation: leakyRelu with Infinity', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: Number.POSITIVE_INFINITY } }), 'ERR_OUT_OF_RANGE', 'activation.alpha must be a finite float32 number, got Infinity'],
  ['activation: leakyRelu beyond float32', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: 1e300 } }), 'ERR_OUT_OF_RANGE', 'activation.alpha must be a finite float32 number, got 1e+300'],
  ['activation: leakyRelu with null', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: null } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a finite float32 number, got null'],
  ['activation: leakyRelu with slopes', () => depthwise(x, f, { activation: { type: 'leakyRelu', alpha: new Float32Array(8) } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a finite float32 number, got a Float32Array'],
  ['activation: leakyRelu with negativeSlope', () => depthwise(x, f, { activation: { type: 'leakyRelu', negativeSlope: 0.1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'negativeSlope' of activation 'leakyRelu'; 'leakyRelu' takes alpha"],
  ['activation: leakyRelu with alhpa', () => depthwise(x, f, { activation: { type: 'leakyRelu', alhpa: 0.1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'alhpa' of activation 'leakyRelu'; did you mean 'alpha'?"],
  ['activation: prelu without alpha, as an object', () => depthwise(x, f, { activation: { type: 'prelu' } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a Float32Array, got undefined'],
  ['activation: prelu with a number', () => depthwise(x, f, { activation: { type: 'prelu', alpha: 0.25 } }), 'ERR_INVALID_ARG_TYPE', "activation.alpha must be a Float32Array, got 0.25; one slope for all channels is { type: 'leakyRelu', alpha }"],
  ['activation: prelu with an array', () => depthwise(x, f, { activation: { type: 'prelu', alpha: [0, 0, 0, 0, 0, 0, 0, 0] } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a Float32Array, got [0,0,0,0,0,0,0,0]'],
  ['activation: prelu with a tensor', () => depthwise(x, f, { activation: { type: 'prelu', alpha: t(8) } }), 'ERR_INVALID_ARG_TYPE', 'activation.alpha must be a Float32Array, got an object'],
  ['activation: prelu too short', () => depthwise(x, f, { activation: { type: 'prelu', alpha: new Float32Array(4) } }), 'ERR_SHAPE_MISMATCH', 'activation.alpha must have one value for each of the 8 output channels, got 4'],
  ['activation: prelu too long', () => depthwise(x, f, { activation: { type: 'prelu', alpha: new Float32Array(9) } }), 'ERR_SHAPE_MISMATCH', 'activation.alpha must have one value for each of the 8 output channels, got 9'],
  ['activation: prelu detached', () => depthwise(x, f, { activation: { type: 'prelu', alpha: detached(8) } }), 'ERR_INVALID_STATE', 'activation.alpha has no memory any more: its buffer was transferred or shrunk'],
  ['activation: prelu with min', () => depthwise(x, f, { activation: { type: 'prelu', alpha: new Float32Array(8), min: 0 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'min' of activation 'prelu'; 'prelu' takes alpha"],
  ['activation: clip without max', () => depthwise(x, f, { activation: { type: 'clip', min: 0 } }), 'ERR_INVALID_ARG_TYPE', 'activation.max must be a number, not NaN, got undefined'],
  ['activation: clip without min', () => depthwise(x, f, { activation: { type: 'clip', max: 1 } }), 'ERR_INVALID_ARG_TYPE', 'activation.min must be a number, not NaN, got undefined'],
  ['activation: clip with min > max', () => depthwise(x, f, { activation: { type: 'clip', min: 1, max: 0 } }), 'ERR_OUT_OF_RANGE', 'activation.min must be <= activation.max (0), got 1'],
  ['activation: clip with NaN min', () => depthwise(x, f, { activation: { type: 'clip', min: Number.NaN, max: 1 } }), 'ERR_OUT_OF_RANGE', 'activation.min must be a number, not NaN, got NaN'],
  ['activation: clip with NaN max', () => depthwise(x, f, { activation: { type: 'clip', min: 0, max: Number.NaN } }), 'ERR_OUT_OF_RANGE', 'activation.max must be a number, not NaN, got NaN'],
  ['activation: clip with a string', () => depthwise(x, f, { activation: { type: 'clip', min: '0', max: 1 } }), 'ERR_INVALID_ARG_TYPE', "activation.min must be a number, not NaN, got '0'"],
  ['activation: clip with alpha', () => depthwise(x, f, { activation: { type: 'clip', min: 0, max: 1, alpha: 1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'alpha' of activation 'clip'; 'clip' takes min, max"],
  ['activation: clip with Max', () => depthwise(x, f, { activation: { type: 'clip', min: 0, Max: 1 } }), 'ERR_UNKNOWN_OPTION', "unknown option 'Max' of activation 'clip'; did you mean 'max'?"],
  ['activation: a throwing type', () => depthwise(x, f, { activation: { get type() { throw new Error('boom'); } } }), 'ERR_INVALID_ARG_TYPE', 'the options of @ could not be read: boom'],
  // out
  ['out: null', () => depthwise(x, f, { out: null }), 'ERR_INVALID_ARG_TYPE', 'out must be a tensor { data: Float32Array, shape: number[] }, got null'],
  ['out: a Float32Array', () => depthwise(x, f, { out: new Float32Array(192) }), 'ERR_INVALID_ARG_TYPE', 'out must be a tensor { data: Float32Array, shape: number[] }, got a Float32Array; add its shape: { data, shape: [ … ] }'],
  ['out: a number', () => depthwise(x, f, { out: 0 }), 'ERR_INVALID_ARG_TYPE', 'out must be a tensor { data: Float32Array, shape: number[] }, got 0'],
  ['out: true', () => depthwise(x, f, { out: true }), 'ERR_INVALID_ARG_TYPE', 'out must be a tensor { data: Float32Array, shape: number[] }, got true'],
  ['out: of the wrong type', () => depthwise(x, f, { out: { data: new Float64Array(192), shape: [2, 3, 4, 8] } }), 'ERR_INVALID_ARG_TYPE', 'out.data must be a Float32Array, got a Float64Array'],
  ['out: without shape', () => depthwise(x, f, { out: { data: new Float32Array(192) } }), 'ERR_INVALID_ARG_TYPE', 'out.shape must be an array of sizes, got undefined'],
  ["out: of the input's shape", () => depthwise(x, f, { out: t(2, 5, 6, 4) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [2,3,4,8], got [2,5,6,4]"],
  ['out: of rank 3', () => depthwise(x, f, { out: t(6, 4, 8) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [2,3,4,8], got [6,4,8]"],
  ['out: in NCHW', () => depthwise(x, f, { out: t(2, 8, 3, 4) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [2,3,4,8], got [2,8,3,4]"],
  ['out: whose data is too short', () => depthwise(x, f, { out: { data: new Float32Array(191), shape: [2, 3, 4, 8] } }), 'ERR_SHAPE_MISMATCH', 'out.data must have 192 elements for shape [2,3,4,8], got 191'],
  ['out: detached', () => depthwise(x, f, { out: { data: detached(192), shape: [2, 3, 4, 8] } }), 'ERR_INVALID_STATE', 'out.data has no memory any more: its buffer was transferred or shrunk'],
  ['out: of the wrong batch', () => depthwise(x, f, { out: t(1, 3, 4, 8) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [2,3,4,8], got [1,3,4,8]"],
  ['out: of rank 4 for an input of rank 3', () => depthwise(t(5, 6, 4), f, { out: t(1, 3, 4, 8) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [3,4,8], got [1,3,4,8]"],
  ['out: the input itself', () => depthwise(x1, f1, { out: x1 }), 'ERR_OVERLAP', 'out must not overlap input: the two share memory'],
  ['out: half over the input', () => depthwise(overlapping.input, f1, { out: overlapping.out }), 'ERR_OVERLAP', 'out must not overlap input: the two share memory'],
  ['out: over the filter', () => depthwise(t(1, 1, 1, 4), f1, { out: { data: f1.data, shape: [1, 1, 1, 4] } }), 'ERR_OVERLAP', 'out must not overlap filter: the two share memory'],
  ['out: over the bias', () => depthwise(t(1, 1, 1, 4), f1, { bias: b4, out: { data: b4, shape: [1, 1, 1, 4] } }), 'ERR_OVERLAP', 'out must not overlap bias: the two share memory'],
  ["out: over prelu's alpha", () => depthwise(t(1, 1, 1, 4), f1, { activation: { type: 'prelu', alpha: b4 }, out: { data: b4, shape: [1, 1, 1, 4] } }), 'ERR_OVERLAP', 'out must not overlap activation.alpha: the two share memory'],
  ['runSync: out is null', () => layer.runSync(x, { out: null }), 'ERR_INVALID_ARG_TYPE', 'out must be a tensor { data: Float32Array, shape: number[] }, got null'],
  ['runSync: out of the wrong shape', () => layer.runSync(x, { out: t(2, 3, 4, 4) }), 'ERR_SHAPE_MISMATCH', "out.shape must be the output's shape [2,3,4,8], got [2,3,4,4]"],
  ['runSync: out is the input', () => layer1.runSync(x1, { out: x1 }), 'ERR_OVERLAP', 'out must not overlap input: the two share memory'],
  // layers
  ['runSync: no input', () => layer.runSync(), 'ERR_INVALID_ARG_TYPE', 'input must be a tensor { data: Float32Array, shape: number[] }, got undefined'],
  ['runSync: wrong channels', () => layer.runSync(t(2, 5, 6, 3)), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (3, the last of [2,5,6,3] in NHWC), got 4; is the input NCHW?"],
  ['runSync: wrong rank', () => layer.runSync(t(30, 4)), 'ERR_INVALID_ARG_VALUE', 'input.shape must have 3 or 4 sizes, got [30,4]'],
  ['runSync: too small', () => layer.runSync(t(1, 2, 2, 4)), 'ERR_SHAPE_MISMATCH', "the filter's height (3) must not exceed the input's height (2); padding 'same' fits any size"],
  ['outputShape: nothing', () => layer.outputShape(), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got undefined'],
  ['outputShape: null', () => layer.outputShape(null), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got null'],
  ['outputShape: a tensor', () => layer.outputShape(x), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got an object'],
  ['outputShape: a typed array', () => layer.outputShape(Int32Array.of(2, 5, 6, 4)), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got an Int32Array; convert it: Array.from(shape)'],
  ['outputShape: rank 2', () => layer.outputShape([5, 6]), 'ERR_INVALID_ARG_VALUE', 'inputShape must have 3 or 4 sizes, got [5,6]'],
  ['outputShape: rank 5', () => layer.outputShape([1, 1, 5, 6, 4]), 'ERR_INVALID_ARG_VALUE', 'inputShape must have 3 or 4 sizes, got [1,1,5,6,4]'],
  ['outputShape: a zero height', () => layer.outputShape([1, 0, 6, 4]), 'ERR_OUT_OF_RANGE', 'inputShape[1] must be an integer >= 1, got 0'],
  ['outputShape: a fraction', () => layer.outputShape([1, 5, 6.5, 4]), 'ERR_OUT_OF_RANGE', 'inputShape[2] must be an integer >= 1, got 6.5'],
  ['outputShape: a bigint', () => layer.outputShape([1, 5n, 6, 4]), 'ERR_INVALID_ARG_TYPE', 'inputShape[1] must be an integer >= 1, got 5n'],
  ['outputShape: wrong channels', () => layer.outputShape([1, 5, 6, 3]), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (3, the last of [1,5,6,3] in NHWC), got 4; is the input NCHW?"],
  ['outputShape: too small', () => layer.outputShape([1, 2, 6, 4]), 'ERR_SHAPE_MISMATCH', "the filter's height (3) must not exceed the input's height (2); padding 'same' fits any size"],
  ['outputShape: 2^53 elements', () => layer.outputShape([2 ** 20, 2 ** 20, 2 ** 11, 4]), 'ERR_OUT_OF_RANGE', 'the padded input of [1048576,1048576,2048,4] must have at most 2^53 - 1 elements'],
  ['outputShape: a hole', () => layer.outputShape(holey(1, undefined, 6, 4)), 'ERR_INVALID_ARG_TYPE', 'inputShape[1] must be an integer >= 1, got undefined; the array has a hole there'],
  ['explain: nothing', () => layer.explain(), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got undefined'],
  ['explain: null', () => layer.explain(null), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got null'],
  ['explain: a tensor', () => layer.explain(x), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got an object'],
  ['explain: a typed array', () => layer.explain(Int32Array.of(2, 5, 6, 4)), 'ERR_INVALID_ARG_TYPE', 'inputShape must be an array of sizes, got an Int32Array; convert it: Array.from(shape)'],
  ['explain: rank 2', () => layer.explain([5, 6]), 'ERR_INVALID_ARG_VALUE', 'inputShape must have 3 or 4 sizes, got [5,6]'],
  ['explain: rank 5', () => layer.explain([1, 1, 5, 6, 4]), 'ERR_INVALID_ARG_VALUE', 'inputShape must have 3 or 4 sizes, got [1,1,5,6,4]'],
  ['explain: a zero height', () => layer.explain([1, 0, 6, 4]), 'ERR_OUT_OF_RANGE', 'inputShape[1] must be an integer >= 1, got 0'],
  ['explain: a fraction', () => layer.explain([1, 5, 6.5, 4]), 'ERR_OUT_OF_RANGE', 'inputShape[2] must be an integer >= 1, got 6.5'],
  ['explain: a bigint', () => layer.explain([1, 5n, 6, 4]), 'ERR_INVALID_ARG_TYPE', 'inputShape[1] must be an integer >= 1, got 5n'],
  ['explain: wrong channels', () => layer.explain([1, 5, 6, 3]), 'ERR_SHAPE_MISMATCH', "filter.shape[2] must equal the input's channels (3, the last of [1,5,6,3] in NHWC), got 4; is the input NCHW?"],
  ['explain: too small', () => layer.explain([1, 2, 6, 4]), 'ERR_SHAPE_MISMATCH', "the filter's height (3) must not exceed the input's height (2); padding 'same' fits any size"],
  ['explain: 2^53 elements', () => layer.explain([2 ** 20, 2 ** 20, 2 ** 11, 4]), 'ERR_OUT_OF_RANGE', 'the padded input of [1048576,1048576,2048,4] must have at most 2^53 - 1 elements'],
  ['explain: a hole', () => layer.explain(holey(1, undefined, 6, 4)), 'ERR_INVALID_ARG_TYPE', 'inputShape[1] must be an integer >= 1, got undefined; the array has a hole there'],
  ['explain: more than any memory', () => layer.explain([2 ** 20, 2 ** 20, 2 ** 10, 4]), 'ERR_OUT_OF_MEMORY', 'cannot allocate the output of [1048576,1048574,1022,8]'],
  ['runSync: disposed', () => disposed().runSync(x), 'ERR_INVALID_STATE', 'this layer was disposed'],
  ['outputShape: disposed', () => disposed().outputShape([2, 5, 6, 4]), 'ERR_INVALID_STATE', 'this layer was disposed'],
  ['explain: disposed', () => disposed().explain([2, 5, 6, 4]), 'ERR_INVALID_STATE', 'this layer was disposed'],
  // threads
  ['setThreads: nothing', () => setThreads(), 'ERR_INVALID_ARG_TYPE', 'threads must be an integer from 1 to 1024, got undefined'],
  ['setThreads: 0', () => setThreads(0), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got 0'],
  ['setThreads: negative', () => setThreads(-1), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got -1'],
  ['setThreads: a fraction', () => setThreads(1.5), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got 1.5'],
  ['setThreads: NaN', () => setThreads(Number.NaN), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got NaN'],
  ['setThreads: Infinity', () => setThreads(Number.POSITIVE_INFINITY), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got Infinity'],
  ['setThreads: a string', () => setThreads('2'), 'ERR_INVALID_ARG_TYPE', "threads must be an integer from 1 to 1024, got '2'"],
  ['setThreads: null', () => setThreads(null), 'ERR_INVALID_ARG_TYPE', 'threads must be an integer from 1 to 1024, got null'],
  ['setThreads: a bigint', () => setThreads(2n), 'ERR_INVALID_ARG_TYPE', 'threads must be an integer from 1 to 1024, got 2n'],
  ['setThreads: too many', () => setThreads(1025), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got 1025'],
  ['setThreads: 2 ** 53', () => setThreads(2 ** 53), 'ERR_OUT_OF_RANGE', 'threads must be an integer from 1 to 1024, got 9007199254740992'],
  ['setThreads: an array', () => setThreads([2]), 'ERR_INVALID_ARG_TYPE', 'threads must be an integer from 1 to 1024, got [2]'],
];

describe.each(BAD_CALLS)('%s', (_what, call, code, message) => {
  it(`is refused with ${code}`, async () => {
    let ways: Ways;
    try {
      const result = call();
      ways = Array.isArray(result) ? result : [];
    } catch (error) {
      ways = [{ way: '', error: Promise.resolve(error) }];
    }
    expect(ways.length).toBeGreaterThan(0);
    for (const { way, error } of ways) {
      const actual = (await error) as Error & { code: string };
      expect(actual?.message).toBe(message.replace('@', way));
      expect(actual.code).toBe(code);
      expect(Object.getPrototypeOf(actual)).toBe(CLASSES[code]!.prototype);
    }
  });
});

describe('after all that', () => {
  it('nothing was written', () => {
    for (const { data } of [x, f, g, x1, f1]) expect(data.every((value) => value === 1)).toBe(true);
    expect(memory.every((value) => value === 0)).toBe(true);
    expect(b4.every((value) => value === 0)).toBe(true);
  });

  it('the next call is right', async () => {
    const data = new Float32Array(192).fill(9);
    expect(depthwiseConv2dSync(x, f)).toEqual({ data, shape: [2, 3, 4, 8] });
    expect(await depthwiseConv2d(x, f)).toEqual({ data, shape: [2, 3, 4, 8] });
    expect(layer.runSync(x)).toEqual({ data, shape: [2, 3, 4, 8] });
    expect(await layer.run(x)).toEqual({ data, shape: [2, 3, 4, 8] });
  });
});

describe('what is read', () => {
  it('undefined is absent, even under a name that is unknown', () => {
    const undefineds = { strides: undefined, padding: undefined, bias: undefined, out: undefined, stride: undefined };
    expect(depthwiseConv2dSync(x, f, undefineds).shape).toEqual([2, 3, 4, 8]);
    expect(layer.runSync(x, undefined).shape).toEqual([2, 3, 4, 8]);
    expect(layer.runSync(x, { out: undefined }).shape).toEqual([2, 3, 4, 8]);
  });

  it('each property once', () => {
    const reads: string[] = [];
    const spy = <T extends object>(name: string, target: T): T =>
      new Proxy(target, {
        get(object, key) {
          if (typeof key === 'string') reads.push(`${name}.${key}`);
          return Reflect.get(object, key);
        },
      });
    const options = spy('options', {
      strides: spy('strides', [1, 1]),
      dilations: 1,
      padding: 'valid',
      dataFormat: 'NHWC',
      filterFormat: 'HWIO',
      bias: spy('bias', { data: new Float32Array(8), shape: [8] }),
      activation: spy('activation', { type: 'clip', min: 0, max: 1 }),
      out: spy('out', t(2, 3, 4, 8)),
    });
    const input = spy('input', { data: x.data, shape: spy('shape', x.shape) });
    depthwiseConv2dSync(input, spy('filter', f), options);
    expect(reads.length).toBeGreaterThan(20);
    expect(reads).toEqual([...new Set(reads)]);
  });

  it('for a message as well: what a getter answers the next time may be as long as it likes', () => {
    const size = [3];
    let reads = 0;
    Object.defineProperty(size, 0, { get: () => (reads++ === 0 ? 3 : new Float32Array(500)) });
    expect(() => depthwiseConv2dSync({ data: x.data, shape: [2, size, 4, 8] }, f)).toThrow(/got \[3\]$/);
    expect(reads).toBe(1);
  });

  it('dims, where shape is absent', () => {
    const out = { data: new Float32Array(192), dims: [2, 3, 4, 8] };
    const result = depthwiseConv2dSync({ data: x.data, dims: x.shape }, { data: f.data, dims: f.shape }, { out });
    expect(result).toBe(out);
    expect(out.data).toEqual(new Float32Array(192).fill(9));
    expect(depthwiseConv2dSync({ ...x, dims: [1] }, f).shape).toEqual([2, 3, 4, 8]);
  });

  it('options of class instances, of prototypes and without one', () => {
    class Options {
      get strides() {
        return 2;
      }
    }
    expect(depthwiseConv2dSync(x, f, new Options()).shape).toEqual([2, 2, 2, 8]);
    expect(depthwiseConv2dSync(x, f, Object.create({ strides: 2 })).shape).toEqual([2, 2, 2, 8]);
    expect(depthwiseConv2dSync(x, f, { __proto__: null, strides: 2 }).shape).toEqual([2, 2, 2, 8]);
    expect(depthwiseConv2dSync(x, f, { [Symbol('note')]: 1 }).shape).toEqual([2, 3, 4, 8]);
  });

  it("what another program added to every object's prototype is no option", () => {
    let shape: unknown;
    Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true });
    try {
      shape = depthwiseConv2dSync(x, f, { strides: 2 }).shape;
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
    expect(shape).toEqual([2, 2, 2, 8]);
  });

  it('arrays, tensors and options of another realm', () => {
    const theirs = runInNewContext(`({
      input: { data: new Float32Array(240).fill(1), shape: [2, 5, 6, 4] },
      filter: { data: new Float32Array(72).fill(1), shape: [3, 3, 4, 2] },
      options: { strides: [1, 1], bias: new Float32Array(8), activation: { type: 'prelu', alpha: new Float32Array(8) } },
    })`);
    const { data } = depthwiseConv2dSync(theirs.input, theirs.filter, theirs.options);
    expect(data).toEqual(new Float32Array(192).fill(9));
  });

  it('subclasses of Float32Array and views into larger buffers', () => {
    class Floats extends Float32Array {}
    const whole = new Float32Array(300).fill(1);
    const input = { data: new Floats(whole.buffer, 40, 240), shape: x.shape };
    expect(depthwiseConv2dSync(input, f).data).toEqual(new Float32Array(192).fill(9));
  });

  it('-0 as 0', () => {
    const { shape } = depthwiseConv2dSync({ data: new Float32Array(0), shape: [-0, 5, 6, 4] }, f, { padding: -0 });
    expect(Object.is(shape[0], 0)).toBe(true);
  });

  it('a batch of none', async () => {
    const none = { data: new Float32Array(0), shape: [0, 5, 6, 4] };
    const expected = { data: new Float32Array(0), shape: [0, 3, 4, 8] };
    expect(depthwiseConv2dSync(none, f)).toEqual(expected);
    expect(await depthwiseConv2d(none, f)).toEqual(expected);
    expect(layer.runSync(none)).toEqual(expected);
    expect(layer.explain(none.shape).flops).toBe(0);
  });

  it('the arguments of an asynchronous call, before it returns', async () => {
    const input = t(2, 5, 6, 4);
    const filter = t(3, 3, 4, 2);
    const bias = new Float32Array(8).fill(1);
    const options = { bias, strides: [1, 1], out: undefined as unknown };
    const promise = depthwiseConv2d(input, filter, options);
    input.data.fill(5);
    input.shape.reverse();
    filter.data.fill(5);
    filter.shape.length = 0;
    bias.fill(5);
    options.strides[0] = 3;
    options.out = null;
    expect(await promise).toEqual({ data: new Float32Array(192).fill(10), shape: [2, 3, 4, 8] });
  });

  it('the filter of a layer, once and for all', () => {
    const filter = t(3, 3, 4, 2);
    const bias = new Float32Array(8);
    const own = new DepthwiseConv2d(filter, { bias });
    filter.data.fill(5);
    filter.shape.length = 0;
    bias.fill(5);
    expect(own.runSync(x).data).toEqual(new Float32Array(192).fill(9));
  });
});

describe('what is returned', () => {
  it("a shape that is the caller's own", () => {
    const first = layer.runSync(x);
    first.shape.length = 0;
    expect(layer.runSync(x).shape).toEqual([2, 3, 4, 8]);
    const shape = layer.outputShape([2, 5, 6, 4]);
    shape.length = 0;
    expect(layer.outputShape([2, 5, 6, 4])).toEqual([2, 3, 4, 8]);
  });

  it('out, the same object, from every function', async () => {
    for (const call of [depthwiseConv2dSync, depthwiseConv2d]) {
      const out = t(2, 3, 4, 8);
      expect(await call(x, f, { out })).toBe(out);
      expect(out.data).toEqual(new Float32Array(192).fill(9));
    }
    for (const method of ['runSync', 'run']) {
      const out = t(2, 3, 4, 8);
      expect(await layer[method](x, { out })).toBe(out);
      expect(out.data).toEqual(new Float32Array(192).fill(9));
    }
  });

  it('rank 3 for rank 3, in both formats', () => {
    expect(layer.runSync(t(5, 6, 4)).shape).toEqual([3, 4, 8]);
    expect(layer.runSync(t(2, 5, 6, 4)).shape).toEqual([2, 3, 4, 8]);
    expect(depthwiseConv2dSync(t(4, 5, 6), f, { dataFormat: 'NCHW' }).shape).toEqual([8, 3, 4]);
  });

  it('promises, whatever the arguments', async () => {
    for (const call of [depthwiseConv2d, conv2d, (...args: unknown[]) => layer.run(...args)]) {
      const promise = call();
      expect(promise).toBeInstanceOf(Promise);
      await expect(promise).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('a disposed layer', () => {
  it('refuses every use, asynchronous ones by rejection', async () => {
    const own = disposed();
    await expect(own.run(x)).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_STATE' });
    expect(() => own.runSync(x)).toThrow(TypeError);
  });

  it('finishes what runs, may be disposed again, and was not in use before', async () => {
    const own = new DepthwiseConv2d(f);
    own.runSync(x);
    const promise = own.run(x);
    own[Symbol.dispose]();
    own[Symbol.dispose]();
    expect((await promise).data).toEqual(new Float32Array(192).fill(9));
    expect(() => own.runSync(x)).toThrow('this layer was disposed');
  });
});

describe('signal', () => {
  const bad: readonly (readonly [what: string, signal: unknown, message: string])[] = [
    ['null', null, 'signal must be an AbortSignal, got null'],
    ['a number', 1, 'signal must be an AbortSignal, got 1'],
    ['true', true, 'signal must be an AbortSignal, got true'],
    ['an object', {}, 'signal must be an AbortSignal, got an object'],
    ['an EventTarget', new EventTarget(), 'signal must be an AbortSignal, got an EventTarget'],
    ['a function', () => true, 'signal must be an AbortSignal, got a function'],
    [
      'a controller',
      new AbortController(),
      "signal must be an AbortSignal, got an AbortController; pass the controller's signal",
    ],
  ];
  it.each(bad)('is refused: %s', async (_what, signal, message) => {
    for (const promise of [depthwiseConv2d(x, f, { signal }), conv2d(x, g, { signal }), layer.run(x, { signal })]) {
      const error = await thrown(() => promise);
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
    }
  });

  it('rejects with its reason where it was aborted before, whatever the reason', async () => {
    for (const reason of [new Error('enough'), 'enough', 0, null]) {
      const out = t(2, 3, 4, 8);
      const signal = AbortSignal.abort(reason);
      expect(
        await depthwiseConv2d(x, f, { signal, out }).then(
          () => 'done',
          (e: unknown) => [e],
        ),
      ).toEqual([reason]);
      expect(out.data.every((value) => value === 1)).toBe(true);
    }
    await expect(layer.run(x, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('rejects with its reason where it is aborted in flight, and nothing is written', async () => {
    const controller = new AbortController();
    const out = t(2, 3, 4, 8);
    const promise = layer.run(x, { signal: controller.signal, out });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
    await layer.run(x);
    expect(out.data.every((value) => value === 1)).toBe(true);
  });

  it('changes nothing once the call is done, and keeps no listener', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    const result = await layer.run(x, { signal });
    controller.abort();
    expect(result.data).toEqual(new Float32Array(192).fill(9));
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed.mock.calls[0]!.slice(0, 2)).toEqual(added.mock.calls[0]!.slice(0, 2));
  });

  it('may be of another implementation', async () => {
    const target = new EventTarget();
    const signal = Object.assign(target, { aborted: false, reason: 'theirs' });
    const promise = layer.run(x, { signal });
    target.dispatchEvent(new Event('abort'));
    await expect(promise).rejects.toBe('theirs');
  });
});
