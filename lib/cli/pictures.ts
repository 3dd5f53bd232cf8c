import { extname } from 'node:path';
import type { Sharp } from 'sharp';
import type { Tensor } from '../index.js';
import { writeAtomically } from '../io/files.js';
import { fromImage, toImage } from '../io/index.js';
import { DataError, inOneLine, UsageError } from './errors.js';

export const PICTURE_EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp'];

export const isPicture = (path: string): boolean => PICTURE_EXTENSIONS.includes(extname(path).toLowerCase());

/** Bits of a channel of a picture in its file. */
export type Depth = 8 | 16;

/** @throws UsageError where sharp isn't installed or doesn't load. */
export async function loadSharp(): Promise<typeof import('sharp').default> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') {
      throw new UsageError("pictures are read and written by sharp, which isn't installed: npm install sharp");
    }
    throw new UsageError(`pictures are read and written by sharp, which doesn't load: ${inOneLine(error)}`);
  }
}

/**
 * A picture as [1, height, width, channels] of values in [0, 1]: one channel where it is grey, else three. Alpha is
 * dropped unless asked for: the colour of transparent pixels would run into their neighbours.
 */
export async function readPicture(path: string, keepAlpha: boolean): Promise<{ tensor: Tensor; depth: Depth }> {
  const sharp = await loadSharp();
  try {
    const picture = sharp(path).autoOrient();
    const { space, depth } = await picture.metadata();
    if (!keepAlpha) picture.removeAlpha();
    if (depth === 'ushort') {
      picture.toColourspace(space === 'grey16' || space === 'b-w' ? 'grey16' : 'rgb16');
      const { data, info } = await raw(picture, 'ushort');
      const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
      return { tensor: fromImage({ data: values, info }), depth: 16 };
    }
    if (space === 'b-w') picture.toColourspace('b-w');
    return { tensor: fromImage(await raw(picture, 'uchar')), depth: 8 };
  } catch (error) {
    throw new DataError(`${path}: ${inOneLine(error)}`);
  }
}

const raw = (picture: Sharp, depth: 'uchar' | 'ushort') => picture.raw({ depth }).toBuffer({ resolveWithObject: true });

/** Writes values in [0, 1], clipped, as the path's extension says; 16 bits a channel are for PNG. */
export async function writePicture(path: string, tensor: Tensor, depth: Depth): Promise<void> {
  const sharp = await loadSharp();
  const format = extname(path).slice(1).toLowerCase().replace('jpg', 'jpeg') as 'png' | 'jpeg' | 'webp';
  const image = toImage(tensor, format === 'png' ? depth : 8);
  const channels = image.info.channels as 1 | 2 | 3 | 4;
  if (format === 'jpeg' && channels % 2 === 0) {
    throw new RangeError(
      `the result has ${channels} channels, a JPEG has 1 or 3: write ${path} as .png, .webp or .npy`,
    );
  }
  const spaces = image.data instanceof Uint16Array ? ['grey16', 'rgb16'] : ['b-w', 'srgb'];
  const picture = sharp(image.data, { raw: { ...image.info, channels } })
    .toColourspace(spaces[channels < 3 ? 0 : 1]!)
    .toFormat(format);
  await writeAtomically(path, await picture.toBuffer());
}
