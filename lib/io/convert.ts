import { types } from '../builtins.js';
import { contiguousView, type Tensor } from '../tensor.js';
import type { NumericArray } from './element_types.js';

/** A float32 tensor, as the functions of `depthwise` take and give them. */
export type Float32Tensor = Tensor;

/** Arrays in arrays, all of a level of one length. */
export type NestedArray = readonly number[] | readonly NestedArray[];

/**
 * A tensor from numbers in nested arrays.
 *
 * @throws RangeError where arrays of one level differ in length; TypeError where something isn't a number.
 * @example
 * import { tensor } from 'depthwise';
 * console.log(tensor([[1, 2, 3], [4, 5, 6]]).shape); // [ 2, 3 ]
 */
export function tensor(nested: NestedArray): Float32Tensor {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let next = 0;
  const fill = (value: unknown, depth: number, path: string): void => {
    if (depth === shape.length) {
      if (typeof value !== 'number') throw new TypeError(`${path} must be a number, got ${describe(value)}`);
      data[next++] = value;
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[depth]) {
      throw new RangeError(
        `${path} must be an array of ${shape[depth]}, as its first sibling is; got ${describe(value)}`,
      );
    }
    for (let i = 0; i < value.length; i++) fill(value[i], depth + 1, `${path}[${i}]`);
  };
  fill(nested, 0, 'nested');
  return { data, shape };
}

function describe(value: unknown): string {
  return Array.isArray(value) ? `an array of ${value.length}` : value === null ? 'null' : typeof value;
}

/**
 * An array of any element type as float32, the same object where it is float32 already. Values that float32 doesn't
 * hold are rounded.
 *
 * @example
 * import { toTensor } from 'depthwise/io';
 * console.log(toTensor({ data: Uint8Array.of(1, 2), shape: [2] }).data); // Float32Array(2) [ 1, 2 ]
 */
export function toTensor(array: NumericArray): Float32Tensor {
  const { data, shape } = array;
  if (types.isFloat32Array(data)) return array as Float32Tensor;
  const isBig = types.isBigInt64Array(data) || types.isBigUint64Array(data);
  return { data: isBig ? Float32Array.from(data, Number) : new Float32Array(data), shape };
}

/** What scijs' `ndarray(data, shape, stride, offset)` makes, as far as it is looked at. */
export interface NdarrayLike {
  data: Float32Array;
  shape: readonly number[];
  stride: readonly number[];
  offset: number;
}

/**
 * A tensor over the memory of a scijs `ndarray`: a view, nothing is copied. The convolutions take a contiguous ndarray as it
 * is, too.
 *
 * @throws RangeError where the array isn't contiguous in row-major order (a transposed or stepped view): copy it first,
 * with `ndarray-ops`' `assign` for instance. TypeError where its elements aren't float32.
 * @example
 * import { fromNdarray } from 'depthwise';
 * import ndarray from 'ndarray';
 *
 * console.log(fromNdarray(ndarray(new Float32Array(6), [2, 3])).shape); // [ 2, 3 ]
 */
export function fromNdarray(array: NdarrayLike): Float32Tensor {
  const { data, stride, offset } = array;
  const shape = [...array.shape];
  if (!types.isFloat32Array(data)) {
    throw new TypeError('the ndarray must hold a Float32Array; copy it into one first');
  }
  return { data: contiguousView('ndarray', { data, stride, offset }, shape), shape };
}

/** What sharp's `raw().toBuffer({ resolveWithObject: true })` resolves to, as far as it is looked at. */
export interface RawImage {
  /** Pixel after pixel, row after row; 8 or 16 bits a channel. */
  data: Uint8Array | Uint8ClampedArray | Uint16Array;
  /** Sizes in pixels, and the number of channels. */
  info: { width: number; height: number; channels: number };
}

/**
 * Raw pixels as an NHWC tensor [1, height, width, channels] of values in [0, 1]: each is divided by 255, or by 65535
 * where `data` is a Uint16Array.
 *
 * @throws TypeError where `data` is no such array, RangeError where it has not width * height * channels elements.
 * @example
 * import { fromImage } from 'depthwise';
 *
 * const image = fromImage({ data: Uint8Array.of(0, 255), info: { width: 2, height: 1, channels: 1 } });
 * console.log(image.data); // Float32Array(2) [ 0, 1 ]
 * @example With sharp:
 * import { fromImage } from 'depthwise';
 * import sharp from 'sharp';
 *
 * const blank = sharp({ create: { width: 4, height: 2, channels: 3, background: 'red' } });
 * console.log(fromImage(await blank.raw().toBuffer({ resolveWithObject: true })).shape); // [ 1, 2, 4, 3 ]
 */
export function fromImage({ data, info }: RawImage): Float32Tensor {
  const { width, height, channels } = info;
  const isWide = types.isUint16Array(data);
  if (!isWide && !types.isUint8Array(data) && !types.isUint8ClampedArray(data)) {
    throw new TypeError(`data must be a Uint8Array, Uint8ClampedArray or Uint16Array, got ${describe(data)}`);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(
      `an image of ${width} x ${height} with ${channels} channels has ${width * height * channels} elements, got ` +
        `${data.length}; is it raw, and 16 bits a channel in a Uint16Array?`,
    );
  }
  const values = new Float32Array(data.length);
  const white = isWide ? 65535 : 255;
  for (let i = 0; i < values.length; i++) values[i] = data[i]! / white;
  return { data: values, shape: [1, height, width, channels] };
}

/**
 * A tensor [height, width, channels] or [1, height, width, channels] of values in [0, 1] as raw pixels, rounded to the
 * nearest; what lies outside is clipped, NaN becomes 0. `sharp(image.data, { raw: image.info })` takes the result.
 *
 * @param depth Bits a channel: 8 (the default) gives a Uint8Array, 16 a Uint16Array.
 * @throws RangeError for another rank, a batch that isn't 1, more than 4 channels, or data that doesn't fit the shape.
 * @example
 * import { toImage } from 'depthwise';
 *
 * console.log(toImage({ data: Float32Array.of(0, 0.5, 2), shape: [1, 1, 3] }).data); // Uint8Array(3) [ 0, 128, 255 ]
 */
export function toImage(image: { data: Float32Array; shape: readonly number[] }, depth: 8 | 16 = 8): RawImage {
  const { data, shape } = image;
  const [height, width, channels] = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  if (!height || !width || !channels || shape.length > 4 || shape.length < 3 || channels > 4) {
    throw new RangeError(
      `an image has shape [height, width, channels] with 1 to 4 channels, got [${shape.join(', ')}]; is it NCHW?`,
    );
  }
  if (data.length !== height * width * channels) {
    throw new RangeError(
      `shape [${shape.join(', ')}] has ${height * width * channels} elements, data has ${data.length}`,
    );
  }
  const white = depth === 16 ? 65535 : 255;
  const pixels = depth === 16 ? new Uint16Array(data.length) : new Uint8Array(data.length);
  // NaN stays NaN until it is stored, as 0.
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.floor(Math.min(Math.max(data[i]!, 0), 1) * white + 0.5);
  return { data: pixels, info: { width, height, channels } };
}
