import { FileFormatError } from './file_error.js';

/** Typed arrays that files are read into. float16 and bfloat16 become float32, which holds them exactly. */
export type NumericData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** An array as files hold it: row-major (C order), `data.length` equal to the product of `shape`. */
export interface NumericArray {
  data: NumericData;
  shape: number[];
}

/** How one element type lies in a file, and what it is read into. */
export interface ElementType {
  /** Bytes per element in the file. */
  bytes: number;
  /** Takes little-endian bytes in a buffer of their own. */
  read(buffer: ArrayBuffer): NumericData;
}

// bits, as float32 bits: sign, exponent with the bias moved from 15 to 127, mantissa widened from 10 to 23 bits.
function float16ToFloat32(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer);
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (const [i, half] of halves.entries()) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[i] = (sign ? -1 : 1) * mantissa * 2 ** -24;
    } else if (exponent === 31) {
      bits[i] = sign | 0x7f800000 | (mantissa << 13);
    } else {
      bits[i] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    }
  }
  return values;
}

// bfloat16 is the upper half of a float32.
function bfloat16ToFloat32(buffer: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(buffer);
  const bits = new Uint32Array(halves.length);
  for (const [i, half] of halves.entries()) bits[i] = half << 16;
  return new Float32Array(bits.buffer);
}

export const FLOAT16: ElementType = { bytes: 2, read: float16ToFloat32 };
export const BFLOAT16: ElementType = { bytes: 2, read: bfloat16ToFloat32 };
export const FLOAT32: ElementType = { bytes: 4, read: (buffer) => new Float32Array(buffer) };
export const FLOAT64: ElementType = { bytes: 8, read: (buffer) => new Float64Array(buffer) };
export const INT8: ElementType = { bytes: 1, read: (buffer) => new Int8Array(buffer) };
export const UINT8: ElementType = { bytes: 1, read: (buffer) => new Uint8Array(buffer) };
export const INT16: ElementType = { bytes: 2, read: (buffer) => new Int16Array(buffer) };
export const UINT16: ElementType = { bytes: 2, read: (buffer) => new Uint16Array(buffer) };
export const INT32: ElementType = { bytes: 4, read: (buffer) => new Int32Array(buffer) };
export const UINT32: ElementType = { bytes: 4, read: (buffer) => new Uint32Array(buffer) };
export const INT64: ElementType = { bytes: 8, read: (buffer) => new BigInt64Array(buffer) };
export const UINT64: ElementType = { bytes: 8, read: (buffer) => new BigUint64Array(buffer) };

/**
 * The number of elements of a shape that a file declares, checked against the bytes that are there: nothing is
 * allocated for elements that the file doesn't hold. `what` names the array in the error.
 */
export function checkedCount(shape: readonly number[], bytesPerElement: number, available: number, what: string) {
  let count = 1;
  for (const size of shape) count *= size;
  if (!Number.isSafeInteger(count * bytesPerElement) || count * bytesPerElement > available) {
    throw new FileFormatError(
      `${what} declares shape [${shape.join(', ')}], which takes ${count * bytesPerElement} bytes, but has ${available}`,
    );
  }
  return count;
}

/** Reads `count` elements from the start of `bytes`, copying them, so that the result owns its memory. */
export function readElements(type: ElementType, bytes: Uint8Array, count: number, bigEndian = false): NumericData {
  // Not slice: a Buffer's slice shares its memory.
  const copy = new Uint8Array(bytes.subarray(0, count * type.bytes));
  if (bigEndian) swapBytes(copy, type.bytes);
  return type.read(copy.buffer);
}

function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
}
