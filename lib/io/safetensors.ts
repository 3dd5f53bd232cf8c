import {
  BFLOAT16,
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
  readElements,
  UINT8,
  UINT16,
  UINT32,
  UINT64,
} from './element_types.js';
import { FileFormatError } from './file_error.js';

// https://huggingface.co/docs/safetensors: eight bytes of header length, a JSON header, then the data.
const ELEMENT_TYPES = new Map<string, ElementType>([
  ['BOOL', UINT8],
  ['U8', UINT8],
  ['I8', INT8],
  ['U16', UINT16],
  ['I16', INT16],
  ['U32', UINT32],
  ['I32', INT32],
  ['U64', UINT64],
  ['I64', INT64],
  ['F16', FLOAT16],
  ['BF16', BFLOAT16],
  ['F32', FLOAT32],
  ['F64', FLOAT64],
]);

// The format's own limit.
const MAX_HEADER_BYTES = 100_000_000;

interface Entry {
  name: string;
  type: ElementType;
  shape: number[];
  begin: number;
  end: number;
}

/**
 * Reads a safetensors file's bytes: a map from names to arrays, each owning its memory. float16 and bfloat16 become
 * Float32Array, bool becomes Uint8Array. The header's `__metadata__` is left out.
 *
 * @throws FileFormatError (code `ERR_FILE_FORMAT`) for anything that the format forbids: tensors that overlap, leave
 * the file, or whose size is not what shape and type say.
 * @example
 * import { decodeSafetensors } from 'depthwise/io';
 * const header = JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
 * const bytes = new Uint8Array(8 + header.length + 8);
 * new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
 * bytes.set(new TextEncoder().encode(header), 8);
 * console.log(decodeSafetensors(bytes).get('w')?.shape); // [ 2 ]
 */
export function decodeSafetensors(bytes: Uint8Array): Map<string, NumericArray> {
  if (bytes.length < 8) throw new FileFormatError('not a safetensors file: it is shorter than 8 bytes');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw new FileFormatError(`safetensors header of ${length} bytes is truncated: the file has ${bytes.length}`);
  }
  if (length > MAX_HEADER_BYTES) throw new FileFormatError(`safetensors header of ${length} bytes is too long`);
  const data = bytes.subarray(8 + Number(length));
  const entries = parseHeader(Buffer.from(bytes.buffer, bytes.byteOffset + 8, Number(length)).toString('utf8'));
  checkExtents(entries, data.length);
  const arrays = new Map<string, NumericArray>();
  for (const { name, type, shape, begin, end } of entries) {
    const count = checkedCount(shape, type.bytes, end - begin, `tensor '${name}'`);
    if (count * type.bytes !== end - begin) {
      throw new FileFormatError(`tensor '${name}' has ${end - begin} bytes, its shape takes ${count * type.bytes}`);
    }
    arrays.set(name, { data: readElements(type, data.subarray(begin, end), count), shape });
  }
  return arrays;
}

function parseHeader(text: string): Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw new FileFormatError(`safetensors header is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(header)) throw new FileFormatError('safetensors header is not an object');
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(name, entry));
}

function parseEntry(name: string, entry: unknown): Entry {
  if (!isRecord(entry)) throw new FileFormatError(`tensor '${name}' is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = typeof dtype === 'string' ? ELEMENT_TYPES.get(dtype) : undefined;
  if (!type) throw new FileFormatError(`tensor '${name}' has element type ${JSON.stringify(dtype)}, which is not read`);
  if (!isSizes(shape)) throw new FileFormatError(`tensor '${name}' has shape ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw new FileFormatError(`tensor '${name}' has data_offsets ${JSON.stringify(offsets)}`);
  }
  return { name, type, shape, begin: offsets[0]!, end: offsets[1]! };
}

// Overlapping tensors would let a small file fill any amount of memory.
function checkExtents(entries: readonly Entry[], available: number): void {
  let reached = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < reached) throw new FileFormatError(`tensor '${name}' overlaps another`);
    if (end > available) {
      throw new FileFormatError(`tensor '${name}' ends at byte ${end} of the data, which has ${available}`);
    }
    reached = end;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
