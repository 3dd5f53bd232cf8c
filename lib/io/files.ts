import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { NumericArray } from './element_types.js';
import { FileFormatError } from './file_error.js';
import { decodeNpy, encodeNpy } from './npy.js';
import { decodeNpz, encodeNpz } from './npz.js';
import { decodeSafetensors } from './safetensors.js';

/**
 * Reads a .npy file of any size; see {@link decodeNpy}.
 *
 * @example
 * import { readNpy, writeNpy } from 'depthwise/io';
 * await writeNpy('numbers.npy', { data: Float32Array.of(1, 2), shape: [2] });
 * console.log((await readNpy('numbers.npy')).data); // Float32Array(2) [ 1, 2 ]
 */
export const readNpy = (path: string): Promise<NumericArray> => readAs(path, decodeNpy);

/**
 * Reads a .npz file: its arrays by their names; see {@link decodeNpz}.
 *
 * @example
 * import { readNpz, writeNpz } from 'depthwise/io';
 * await writeNpz('weights.npz', new Map([['bias', { data: Float32Array.of(1, 2), shape: [2] }]]));
 * console.log((await readNpz('weights.npz')).get('bias')?.shape); // [ 2 ]
 */
export const readNpz = (path: string): Promise<Map<string, NumericArray>> => readAs(path, decodeNpz);

/**
 * Reads a safetensors file: its tensors by their names; see {@link decodeSafetensors}.
 *
 * @example
 * import { readSafetensors } from 'depthwise/io';
 * const weights = await readSafetensors('model.safetensors');
 * console.log(weights.get('conv1.weight')?.shape); // [ 8, 2, 3, 3 ]
 */
export const readSafetensors = (path: string): Promise<Map<string, NumericArray>> => readAs(path, decodeSafetensors);

/**
 * Writes a .npy file; whoever looks sees the whole file or none. See {@link encodeNpy}.
 *
 * @example
 * import { tensor, writeNpy } from 'depthwise/io';
 * await writeNpy('matrix.npy', tensor([[1, 2], [3, 4]])); // numpy.load('matrix.npy')
 */
export const writeNpy = (path: string, array: NumericArray): Promise<void> => writeAtomically(path, encodeNpy(array));

/**
 * Writes a .npz file; whoever looks sees the whole file or none. See {@link encodeNpz}.
 *
 * @example
 * import { tensor, writeNpz } from 'depthwise/io';
 * await writeNpz('layer.npz', new Map([['filter', tensor([[[[1]]]])], ['bias', tensor([0])]]));
 */
export const writeNpz = (path: string, arrays: ReadonlyMap<string, NumericArray>): Promise<void> =>
  writeAtomically(path, encodeNpz(arrays));

async function readAs<T>(path: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await readWhole(path);
  try {
    return decode(bytes);
  } catch (error) {
    throw error instanceof FileFormatError ? new FileFormatError(`${path}: ${error.message}`) : error;
  }
}

// fs.readFile refuses more than 2 GiB.
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, Math.min(size - filled, 2 ** 30), filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}

/** Writes beside `path` and renames, so that a program that is stopped leaves nothing half-written under that name. */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
