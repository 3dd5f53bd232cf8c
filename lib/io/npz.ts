import { unzipSync, type Zippable, zipSync } from 'fflate';
import type { NumericArray } from './element_types.js';
import { FileFormatError } from './file_error.js';
import { decodeNpy, encodeNpy } from './npy.js';

// Deflate can't compress by more than this, so a larger claim is a lie about memory.
const MAX_DEFLATE_RATIO = 1032;

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
  for (const [name, member] of Object.entries(unzip(bytes))) {
    if (!name.endsWith('.npy')) continue;
    try {
      arrays.set(name.slice(0, -'.npy'.length), decodeNpy(member));
    } catch (error) {
      throw error instanceof FileFormatError ? new FileFormatError(`${name}: ${error.message}`) : error;
    }
  }
  return arrays;
}

function unzip(bytes: Uint8Array): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        total += size;
        if (originalSize > size * MAX_DEFLATE_RATIO + 1024 || total > bytes.length) {
          throw new FileFormatError(`${name} declares ${originalSize} bytes, more than the file can hold`);
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    throw new FileFormatError(`not a readable .npz file: ${(error as Error).message}`);
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
  const members: Zippable = {};
  for (const [name, array] of arrays) members[`${name}.npy`] = encodeNpy(array);
  return zipSync(members, { level: 0 });
}
