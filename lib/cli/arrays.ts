import { once } from 'node:events';
import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Tensor } from '../index.js';
import {
  decodeNpy,
  encodeNpy,
  type NumericArray,
  readNpy,
  readNpz,
  readSafetensors,
  toTensor,
  writeNpy,
} from '../io/index.js';
import { DataError, inOneLine, UsageError } from './errors.js';
import { type Depth, isPicture, PICTURE_EXTENSIONS, readPicture, writePicture } from './pictures.js';

/** The kinds of files that are read and written. */
export const EXTENSIONS = ['.npy', ...PICTURE_EXTENSIONS];

/** What was read, and the depth that a picture had: a result is written with the same. */
export interface Input {
  tensor: Tensor;
  depth: Depth;
}

/** A .npy file or a picture; '-' is .npy on stdin. */
export async function readInput(path: string, keepAlpha: boolean): Promise<Input> {
  if (path === '-') return { tensor: await readStdin(), depth: 8 };
  if (isPicture(path)) return readPicture(path, keepAlpha);
  if (extname(path).toLowerCase() !== '.npy') {
    throw new DataError(`${path}: not a kind of file that is read; ${EXTENSIONS.join(', ')} are`);
  }
  return { tensor: toTensor(await readNpy(path)), depth: 8 };
}

async function readStdin(): Promise<Tensor> {
  try {
    return toTensor(decodeNpy(await buffer(process.stdin)));
  } catch (error) {
    throw new DataError(`stdin: ${inOneLine(error)}`);
  }
}

/** Writes a tensor as the path's extension says, whole or not at all; '-' is .npy on stdout. */
export async function writeOutput(path: string, tensor: Tensor, depth: Depth): Promise<void> {
  if (path === '-') return writeStdout(encodeNpy(tensor));
  return isPicture(path) ? writePicture(path, tensor, depth) : writeNpy(path, tensor);
}

// In pieces: a single write takes less than 2 GiB.
async function writeStdout(bytes: Uint8Array): Promise<void> {
  const piece = 2 ** 24;
  for (let at = 0; at < bytes.length; at += piece) {
    if (!process.stdout.write(bytes.subarray(at, at + piece))) await once(process.stdout, 'drain');
  }
}

/**
 * A filter, bias or slopes: FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME; the name may be left out where the file
 * holds one array.
 */
export async function readWeights(text: string): Promise<Tensor> {
  if (/\.npy$/i.test(text)) return toTensor(await readNpy(text));
  const [, path, name] = /^(.*\.(?:npz|safetensors))(?::(.+))?$/i.exec(text) ?? [];
  if (path === undefined) {
    throw new UsageError(`'${text}' is neither a .npy file nor FILE.npz:NAME nor FILE.safetensors:NAME`);
  }
  const arrays: Map<string, NumericArray> = await (/npz$/i.test(path) ? readNpz(path) : readSafetensors(path));
  const names = [...arrays.keys()];
  const array = arrays.get(name ?? (names.length === 1 ? names[0]! : ''));
  if (array) return toTensor(array);
  const shown = names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');
  throw new DataError(
    name === undefined
      ? `${path}: which array? It has ${shown || 'none'}; name one as in ${path}:${names[0] ?? 'NAME'}`
      : `${path}: has no array '${name}'; it has ${shown || 'none'}`,
  );
}
