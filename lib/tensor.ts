import { Buffer, MAX_LENGTH, types } from './builtins.js';
import { codedError, formatShape, mismatch, outOfRange, unreadable, wrongType, wrongValue } from './errors.js';
import { checkedProduct } from './geometry.js';

/**
 * Numbers and their shape, in row-major order: a plain object, made by writing it down.
 *
 * @example
 * import type { Tensor } from 'depthwise';
 *
 * const image: Tensor = { data: new Float32Array(4 * 6 * 3), shape: [1, 4, 6, 3] };
 */
export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/**
 * What is taken as a tensor: a {@link Tensor}, or an object with `dims` in place of `shape`, as onnxruntime's have. Where
 * there is a `stride`, as scijs' ndarrays have, it must be that of a contiguous, row-major array.
 */
export type TensorLike =
  | { readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly data: Float32Array; readonly shape?: undefined; readonly dims: readonly number[] };

// As they were at import: a program may put something of its own there later.
const FloatArray = Float32Array;
const { allocUnsafeSlow } = Buffer;
const typedArray = Object.getPrototypeOf(FloatArray.prototype) as object;
const getterOf = (name: string) => Object.getOwnPropertyDescriptor(typedArray, name)!.get!;

// A subclass may override these getters; what memory an array really has, the ones of its ancestor know.
const lengthOf = getterOf('length') as (this: Float32Array) => number;
const byteOffsetOf = getterOf('byteOffset') as (this: Float32Array) => number;
const bufferOf = getterOf('buffer') as (this: Uint8Array | Float32Array) => ArrayBufferLike;

/**
 * Reads a tensor: each property once, into a new object that the caller's program doesn't know.
 *
 * @throws TypeError or RangeError that names `name`, where it is no tensor of `minRank` to `maxRank` dimensions or its
 *   data is shorter or longer than its shape says. Only the first dimension may be zero, where `allowEmpty` says so.
 */
export function readTensor(
  name: string,
  value: unknown,
  minRank: number,
  maxRank: number,
  allowEmpty: boolean,
): { readonly data: Float32Array; readonly shape: number[] } {
  if (typeof value !== 'object' || value === null) throw notATensor(name, value);
  try {
    const { data, shape } = value as { data?: unknown; shape?: unknown };
    if (!types.isFloat32Array(data)) throw notTensorData(name, value, data);
    const sizes =
      shape === undefined
        ? readShape(name, 'dims', (value as { dims?: unknown }).dims, minRank, maxRank, allowEmpty)
        : readShape(name, 'shape', shape, minRank, maxRank, allowEmpty);
    // An ndarray's own: what a program put on all objects is no stride of this one.
    const view = Object.hasOwn(value, 'stride')
      ? contiguousView(
          name,
          { data, stride: (value as NdarrayView).stride, offset: (value as NdarrayView).offset },
          sizes,
        )
      : data;
    checkLength(name, view, sizes);
    return { data: view, shape: sizes };
  } catch (error) {
    throw unreadable(name, error);
  }
}

interface NdarrayView {
  readonly data: Float32Array;
  readonly stride?: unknown;
  readonly offset?: unknown;
}

/**
 * The part of a scijs ndarray's memory that the array covers, a view.
 *
 * @throws RangeError ERR_SHAPE_MISMATCH unless its elements lie there one after the other, in row-major order.
 */
export function contiguousView(name: string, array: NdarrayView, shape: readonly number[]): Float32Array {
  const { data, stride, offset = 0 } = array;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const isContiguous =
    Array.isArray(stride) && shape.every((size, axis) => size === 1 || stride[axis] === strides[axis]);
  if (!isContiguous) {
    const expected = `be ${formatShape(strides)}, contiguous and row-major, for shape ${formatShape(shape)}`;
    const got = Array.isArray(stride) ? formatShape(stride) : String(stride);
    throw mismatch(`${name}.stride`, expected, got, 'is it transposed or stepped? Copy it first');
  }
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) {
    throw mismatch(`${name}.offset`, 'be an integer >= 0', String(offset));
  }
  const view = data.subarray(offset as number, (offset as number) + shape.reduce((a, b) => a * b, 1));
  if (!types.isFloat32Array(view)) throw mismatch(`${name}.data`, 'be a Float32Array', 'a class that hides one');
  return view;
}

/** A fresh copy of a shape; each element is read once. `field` is '' where the value is the shape itself. */
export function readShape(
  name: string,
  field: 'shape' | 'dims' | '',
  value: unknown,
  minRank: number,
  maxRank: number,
  allowEmpty: boolean,
): number[] {
  if (!Array.isArray(value)) throw notAShape(name, field, value);
  const rank = value.length;
  if (rank < minRank || rank > maxRank) throw wrongRank(name, field, value, minRank, maxRank);
  const sizes: number[] = [];
  for (let i = 0; i < rank; i++) {
    const size: unknown = value[i];
    const least = allowEmpty && i === 0 && rank === maxRank ? 0 : 1;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < least) {
      throw wrongSize(`${pathOf(name, field)}[${i}]`, size, least, i in value);
    }
    sizes.push(size + 0); // -0 becomes 0
  }
  return sizes;
}

/** The Float32Array of `channels` values that `value` is, or has as a tensor of any shape. */
export function readChannelValues(name: string, value: unknown, channels: number): Float32Array {
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && !types.isFloat32Array(value));
  if (typeof value !== 'object' || value === null || isArray) {
    throw wrongType(name, 'be a Float32Array or a tensor { data, shape }', value, conversion(value));
  }
  const data = types.isFloat32Array(value) ? value : readTensor(name, value, 1, 8, false).data;
  checkChannelValues(name, data, channels);
  return data;
}

/** @throws RangeError ERR_SHAPE_MISMATCH unless `data` has a value for each output channel. */
export function checkChannelValues(name: string, data: Float32Array, channels: number): void {
  const length = lengthOf.call(data);
  if (length === channels) return;
  if (isGone(data)) throw gone(name);
  throw mismatch(name, `have one value for each of the ${channels} output channels`, String(length));
}

interface OutputSize {
  readonly outputLength: number;
  readonly outputShape: readonly number[];
}

// From here on it costs less to have memory that isn't zero yet than to ask for it.
const FEWEST_UNZEROED = 4096;

/**
 * An output, in a buffer of its own, with arbitrary contents: kernels write every element, and no program sees it before
 * they have. Zeros would take as long as many a convolution, and fresh pages where the process has just freed others.
 *
 * @throws RangeError ERR_OUT_OF_MEMORY
 */
export function allocate({ outputLength, outputShape }: OutputSize): Float32Array {
  const bytes = outputLength * FloatArray.BYTES_PER_ELEMENT;
  try {
    if (outputLength < FEWEST_UNZEROED || bytes > MAX_LENGTH) return new FloatArray(outputLength);
    return new FloatArray(bufferOf.call(allocUnsafeSlow(bytes)));
  } catch (cause) {
    throw outOfMemory(outputShape, cause);
  }
}

// No machine has more, and the addon computes with sums of such numbers.
const MAX_FLOATS = 2 ** 48;

/** @throws RangeError ERR_OUT_OF_MEMORY where an output is so large that the addon need not be asked. */
export function checkAllocatable({ outputLength, outputShape }: OutputSize): void {
  if (outputLength > MAX_FLOATS) throw outOfMemory(outputShape);
}

function outOfMemory(shape: readonly number[], cause?: unknown): Error {
  return codedError('ERR_OUT_OF_MEMORY', `cannot allocate the output of ${formatShape(shape)}`, { cause });
}

/**
 * @throws RangeError ERR_OVERLAP where `out` and another array have memory in common. Two SharedArrayBuffers over the same
 *   memory look different from here; the addon compares addresses.
 */
export function checkDisjoint(out: Float32Array, name: string, other: Float32Array): void {
  if (bufferOf.call(out) !== bufferOf.call(other)) return;
  const a = byteOffsetOf.call(out);
  const b = byteOffsetOf.call(other);
  if (a < b + 4 * lengthOf.call(other) && b < a + 4 * lengthOf.call(out)) {
    throw codedError('ERR_OVERLAP', `out must not overlap ${name}: the two share memory`);
  }
}

function checkLength(name: string, data: Float32Array, shape: readonly number[]): void {
  const expected = checkedProduct(name, shape);
  const length = lengthOf.call(data);
  if (length === expected) return;
  if (isGone(data)) throw gone(`${name}.data`);
  throw mismatch(`${name}.data`, `have ${expected} elements for shape ${formatShape(shape)}`, String(length));
}

/** Whether the array lost its memory: detached by a transfer, or left outside a resizable buffer that shrank. */
function isGone(data: Float32Array): boolean {
  if (lengthOf.call(data) > 0) return false;
  const buffer = bufferOf.call(data) as ArrayBufferLike & { readonly resizable?: boolean };
  if (buffer.resizable) return true;
  try {
    new Uint8Array(buffer); // throws on a detached buffer, whose own `detached` Node 20 lacks
    return false;
  } catch {
    return true;
  }
}

function gone(name: string): Error {
  return codedError('ERR_INVALID_STATE', `${name} has no memory any more: its buffer was transferred or shrunk`);
}

function pathOf(name: string, field: string): string {
  return field === '' ? name : `${name}.${field}`;
}

function notATensor(name: string, value: unknown): Error {
  return wrongType(name, 'be a tensor { data: Float32Array, shape: number[] }', value);
}

function notTensorData(name: string, value: object, data: unknown): Error {
  if (types.isPromise(value)) {
    return wrongType(name, 'be a tensor { data: Float32Array, shape: number[] }', value, 'is an await missing?');
  }
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const hint = `add its shape: { data${types.isFloat32Array(value) ? '' : ': Float32Array.from(…)'}, shape: [ … ] }`;
    return wrongType(name, 'be a tensor { data: Float32Array, shape: number[] }', value, hint);
  }
  return wrongType(`${name}.data`, 'be a Float32Array', data, name === 'out' ? undefined : conversion(data));
}

function conversion(data: unknown): string | undefined {
  if (typeof data === 'function') return 'for a tfjs tensor t, pass { data: t.dataSync(), shape: t.shape }';
  if (types.isAnyArrayBuffer(data)) return 'wrap it: new Float32Array(buffer)';
  if (types.isTypedArray(data) || Array.isArray(data)) return 'convert it: Float32Array.from(data)';
  return undefined;
}

function notAShape(name: string, field: 'shape' | 'dims' | '', value: unknown): Error {
  const hint = types.isTypedArray(value) ? 'convert it: Array.from(shape)' : undefined;
  if (field === 'dims' && value === undefined) return wrongType(`${name}.shape`, 'be an array of sizes', value, hint);
  return wrongType(pathOf(name, field), 'be an array of sizes', value, hint);
}

function wrongRank(name: string, field: string, value: unknown[], minRank: number, maxRank: number): Error {
  const ranks = minRank === maxRank ? `${minRank}` : `${minRank} or ${maxRank}`;
  const expected = maxRank > 4 ? `have ${minRank} to ${maxRank} sizes` : `have ${ranks} sizes`;
  return wrongValue(pathOf(name, field), expected, value);
}

function wrongSize(path: string, size: unknown, least: number, isPresent: boolean): Error {
  const expected = `be an integer >= ${least}`;
  if (typeof size === 'number') return outOfRange(path, expected, size);
  return wrongType(path, expected, size, isPresent ? undefined : 'the array has a hole there');
}
