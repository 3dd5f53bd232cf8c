import {
  checkedCount,
  type ElementType,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  type NumericArray,
  type NumericData,
  readElements,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
} from './element_types.js';
import { FileFormatError } from './file_error.js';

// NumPy's names without the byte order: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
const ELEMENT_TYPES = new Map<string, ElementType>([
  ['f2', FLOAT16],
  ['f4', FLOAT32],
  ['f8', FLOAT64],
  ['i1', INT8],
  ['u1', UINT8],
  ['b1', UINT8],
  ['i2', INT16],
  ['u2', UINT16],
  ['i4', INT32],
  ['u4', UINT32],
  ['i8', INT64],
  ['u8', UINT64],
]);

const MAGIC = [0x93, ...Buffer.from('NUMPY')];

// NumPy itself knows 64 dimensions and by default refuses headers past 10,000 bytes.
const MAX_RANK = 64;
const MAX_HEADER_BYTES = 2 ** 20;

/**
 * Reads a .npy file's bytes, of version 1, 2 or 3, in either byte order, in C or Fortran order. The result is in
 * C order and owns its memory. bool becomes Uint8Array, float16 Float32Array; int64 and uint64 become BigInt arrays.
 *
 * Bytes after the array are ignored, as NumPy ignores them.
 *
 * @throws FileFormatError (code `ERR_FILE_FORMAT`) for anything malformed, truncated, or of another element type.
 * @example
 * import { decodeNpy, encodeNpy } from 'depthwise/io';
 * const bytes = encodeNpy({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
 * console.log(decodeNpy(bytes).shape); // [ 2, 2 ]
 */
export function decodeNpy(bytes: Uint8Array): NumericArray {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FileFormatError('not a .npy file: it does not begin with \\x93NUMPY');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw new FileFormatError(`.npy version ${version} is not known (1, 2 and 3 are)`);
  if (version > 1 && bytes.length < 12) throw new FileFormatError('.npy header is truncated');
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) {
    throw new FileFormatError(`.npy header of ${length} bytes is truncated: the file has ${bytes.length}`);
  }
  if (length > MAX_HEADER_BYTES) throw new FileFormatError(`.npy header of ${length} bytes is too long`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString(version === 3 ? 'utf8' : 'latin1');
  const header = parseHeader(text);
  const [, order, code = ''] = /^([<>|=]?)(\w+)$/.exec(header.descr) ?? [];
  const type = ELEMENT_TYPES.get(code);
  if (!type) {
    throw new FileFormatError(`.npy element type '${header.descr}' is not read; numbers and bool are`);
  }
  const body = bytes.subarray(start + length);
  const count = checkedCount(header.shape, type.bytes, body.length, '.npy array');
  const elements = header.fortranOrder ? toRowMajor(body, type.bytes, header.shape) : body;
  return { data: readElements(type, elements, count, order === '>'), shape: header.shape };
}

interface Header {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

// The header is a Python dictionary with exactly three keys, in any order: a string, a bool and a tuple of integers,
// which Python 2 wrote as 3L.
function parseHeader(text: string): Header {
  const entry = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\dL,\s]*)\))\s*(,|\})/y;
  const open = /^\s*\{/.exec(text);
  const values: { descr?: string; fortran_order?: boolean; shape?: number[] } = {};
  entry.lastIndex = open ? open[0].length : text.length;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    const [, , key, , string, bool, tuple] = match;
    if (key === 'descr' && string !== undefined) values.descr = string;
    if (key === 'fortran_order' && bool !== undefined) values.fortran_order = bool === 'True';
    if (key === 'shape' && tuple !== undefined) values.shape = parseTuple(tuple);
    if (match[7] === '}') break;
  }
  if (values.descr === undefined || values.fortran_order === undefined || values.shape === undefined) {
    const shown = text.trim().slice(0, 80);
    const hint = /'descr'\s*:\s*\[/.test(text) ? ' (structured element types are not read)' : '';
    throw new FileFormatError(`.npy header is not understood${hint}: ${shown}`);
  }
  return { descr: values.descr, fortranOrder: values.fortran_order, shape: values.shape };
}

function parseTuple(text: string): number[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  if (items.length > MAX_RANK) throw new FileFormatError(`.npy array has ${items.length} dimensions`);
  return items.map((item) => {
    const size = /^\d+L?$/.test(item) ? Number.parseInt(item, 10) : Number.NaN;
    if (!Number.isSafeInteger(size)) throw new FileFormatError(`.npy header has shape (${text.slice(0, 80)})`);
    return size;
  });
}

// for (index in C order) out[index] = elements[sum of index[k] * product of shape[0 … k-1]]
// on the bytes of the file: as numbers, NaNs might not keep theirs.
function toRowMajor(elements: Uint8Array, width: number, shape: readonly number[]): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const out = new Uint8Array(count * width);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, width));
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let at = 0; at < out.length; at += width) {
    for (let byte = 0; byte < width; byte++) out[at + byte] = elements[source + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      source -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * Writes an array as a .npy file of version 1, little-endian, in C order: the bytes that NumPy's `save` writes.
 *
 * @throws RangeError where `data` has not as many elements as `shape` says.
 * @example
 * import { encodeNpy } from 'depthwise/io';
 * const bytes = encodeNpy({ data: new Float32Array(6), shape: [2, 3] });
 */
export function encodeNpy(array: NumericArray): Uint8Array {
  const { data, shape } = array;
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length) {
    throw new RangeError(`shape [${shape.join(', ')}] has ${count} elements, data has ${data.length}`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // NumPy aligns the data to 64 bytes: spaces, then a newline.
  const header = `${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(Buffer.from(header, 'latin1'), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

function descrOf(data: NumericData): string {
  const bytes = data.BYTES_PER_ELEMENT;
  const name = data[Symbol.toStringTag];
  const kind = name.startsWith('Float') ? 'f' : name.includes('Uint') ? 'u' : 'i';
  return `${bytes === 1 ? '|' : '<'}${kind}${bytes}`;
}
