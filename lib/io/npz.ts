import type { NumericArray } from './element_types.js';
import { FileFormatError } from './file_error.js';
import { decodeNpy, encodeNpy } from './npy.js';
import { type Member, readZip, writeZip } from './zip.js';

/**
 * Reads a .npz file's bytes, compressed or not: a map from the names given to `numpy.savez` to arrays, in the file's
 * order. Each array is read as {@link decodeNpy} reads it.
 *
 * @throws FileFormatError (code `ERR_FILE_FORMAT`) for anything malformed; its message names the member.
 * @example
 * import { decodeNpz, encodeNpz } from 'depthwise/io';
 * const bytes = encodeNpz(new Map([['filter', { data: new Float32Array(9), shape: [3, 3, 1, 1] }]]));
 * console.log([...decodeNpz(bytes).keys()]); // [ 'filter' ]
 */
export function decodeNpz(bytes: Uint8Array): Map<string, NumericArray> {
  const arrays = new Map<string, NumericArray>();
  for (const { name, read } of members(bytes)) {
    if (!name.endsWith('.npy')) continue;
    try {
      arrays.set(name.slice(0, -'.npy'.length), decodeNpy(read()));
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error;
      throw error.message.startsWith(name) ? error : new FileFormatError(`${name}: ${error.message}`);
    }
  }
  return arrays;
}

function members(bytes: Uint8Array): Member[] {
  try {
    return readZip(bytes);
  } catch (error) {
    throw error instanceof FileFormatError ? new FileFormatError(`not a readable .npz file: ${error.message}`) : error;
  }
}

/**
 * Writes arrays as a .npz file, uncompressed as `numpy.savez` does.
 *
 * @example
 * import { encodeNpz } from 'depthwise/io';
 * const bytes = encodeNpz(new Map([['x', { data: new Float32Array(4), shape: [4] }]]));
 */
export function encodeNpz(arrays: ReadonlyMap<string, NumericArray>): Uint8Array {
  return writeZip(new Map([...arrays].map(([name, array]) => [`${name}.npy`, encodeNpy(array)])));
}
