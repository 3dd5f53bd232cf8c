// Pictures from and to files, as tensors of [height, width, 3] with numbers from 0 to 1.
import { createRequire } from 'node:module';
import type { Tensor } from 'depthwise';
import sharp from 'sharp';

/** The mandrill, a photograph that image processing has been tried on since 1973. */
export const MANDRILL = createRequire(import.meta.url).resolve('baboon-image/baboon.png');

/** Decodes an image of any format that sharp knows; larger ones are made to fit into `limit` pixels a side. */
export async function readPicture(path: string, limit: number): Promise<Tensor> {
  const { data, info } = await sharp(path)
    .rotate() // as the camera was held
    .resize({ width: limit, height: limit, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: Float32Array.from(data, (byte) => byte / 255), shape: [info.height, info.width, info.channels] };
}

/** A square PNG of the middle of three of the picture's channels, or of one of them in a colour. */
export function thumbnail(picture: Tensor, size: number, choose: (pixel: Float32Array) => Rgb): Promise<Buffer> {
  const [height, width, channels] = picture.shape as [number, number, number];
  const pixels = new Uint8ClampedArray(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const [r, g, b] = choose(picture.data.subarray(i * channels, (i + 1) * channels));
    pixels.set([255 * r, 255 * g, 255 * b], 3 * i);
  }
  const corners = Buffer.from(`<svg width="${size}" height="${size}"><rect width="100%" height="100%" rx="8"/></svg>`);
  return sharp(Buffer.from(pixels.buffer), { raw: { width, height, channels: 3 } })
    .resize(size, size)
    .composite([{ input: corners, blend: 'dest-in' }])
    .png()
    .toBuffer();
}

export type Rgb = readonly [red: number, green: number, blue: number];
