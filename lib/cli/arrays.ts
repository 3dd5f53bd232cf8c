import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Tensor } from '../index.js';
import { writeAtomically } from '../io/files.js';
import {
  decodeNpy,
  encodeNpy,
  fromImage,
  type NumericArray,
  readNpy,
  readNpz,
  readSafetensors,
  toImage,
  toTensor,
  writeNpy,
} from '../io/index.js';
import { DataError, UsageError } from './errors.js';

export const IMAGE_EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp'];
export const INPUT_EXTENSIONS = ['.npy', ...IMAGE_EXTENSIONS];

export const isImage = (path: string): boolean => IMAGE_EXTENSIONS.includes(extname(path).toLowerCase());

async function loadSharp(): Promise<typeof import('sharp').default> {
  try {
    return (await import('sharp')).default;
  } catch {
    throw new UsageError("images are read and written by sharp, which isn't installed: npm install sharp");
  }
}

/** A .npy file or an image as NHWC (or as the file has it); '-' is .npy on stdin. */
export async function readInput(path: string): Promise<Tensor> {
  if (path === '-') return toTensor(decodeNpy(await buffer(process.stdin)));
  if (isImage(path)) return readImage(path);
  if (extname(path).toLowerCase() !== '.npy') {
    throw new DataError(`${path}: not a kind of file that is read; ${INPUT_EXTENSIONS.join(', ')} are`);
  }
  return toTensor(await readNpy(path));
}

// Alpha is dropped: a filter that mixes neighbours makes no sense of it.
async function readImage(path: string): Promise<Tensor> {
  const sharp = await loadSharp();
  try {
    const image = sharp(path).autoOrient().removeAlpha();
    return fromImage(await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }));
  } catch (error) {
    throw new DataError(`${path}: ${(error as Error).message}`);
  }
}

/** Writes a tensor as the path's extension says, whole or not at all; '-' is .npy on stdout. */
export async function writeOutput(path: string, tensor: Tensor): Promise<void> {
  if (path === '-') {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(encodeNpy(tensor), (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  if (!isImage(path)) return writeNpy(path, tensor);
  const sharp = await loadSharp();
  const { data, info } = toImage(tensor);
  const format = extname(path).slice(1).toLowerCase().replace('jpg', 'jpeg') as 'png' | 'jpeg' | 'webp';
  const raw = { width: info.width, height: info.height, channels: info.channels as 1 | 2 | 3 | 4 };
  await writeAtomically(path, await sharp(data, { raw }).toFormat(format).toBuffer());
}

/** A filter, bias or slopes: x.npy, or weights.npz:name, or model.safetensors:name. */
export async function readWeights(text: string): Promise<Tensor> {
  const [, path, name] = /^(.*\.(?:npz|safetensors)):(.+)$/i.exec(text) ?? [];
  if (path === undefined || name === undefined) {
    if (/\.npy$/i.test(text)) return toTensor(await readNpy(text));
    throw new UsageError(`'${text}' is neither a .npy file nor FILE.npz:NAME nor FILE.safetensors:NAME`);
  }
  const arrays: Map<string, NumericArray> = await (/npz$/i.test(path) ? readNpz(path) : readSafetensors(path));
  const array = arrays.get(name);
  if (!array) throw new DataError(`${path}: has no array '${name}'; it has ${[...arrays.keys()].join(', ') || 'none'}`);
  return toTensor(array);
}
