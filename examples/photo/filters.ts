// The filters of the example, each a small picture of numbers.
import type { Tensor } from 'depthwise';

/** The same filters for each of `channels`: output c * M + m is channel c filtered with the m-th of the M pictures. */
export function depthwiseFilter(channels: number, pictures: readonly (readonly (readonly number[])[])[]): Tensor {
  const [height, width] = [pictures[0]!.length, pictures[0]![0]!.length];
  const data = new Float32Array(height * width * channels * pictures.length);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        for (const picture of pictures) data[at++] = picture[y]![x]!;
      }
    }
  }
  return { data, shape: [height, width, channels, pictures.length] };
}

export function gaussian(size: number, sigma: number): number[][] {
  const bell = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma ** 2)));
  const sum = bell.reduce((a, b) => a + b);
  return bell.map((a) => bell.map((b) => (a * b) / sum ** 2));
}

/** How steeply a picture rises to the right, and how steeply downwards. */
export const SOBEL_ACROSS = [
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
];
export const SOBEL_DOWN = [
  [-1, -2, -1],
  [0, 0, 0],
  [1, 2, 1],
];

/** What a pixel has more than its surroundings: where they are constant, nothing. */
export function surroundDifference(): number[][] {
  const around = gaussian(5, 1);
  return around.map((row, y) => row.map((weight, x) => (y === 2 && x === 2 ? 1 : 0) - weight));
}

/**
 * For each colour its two slopes, across and down, become one: how bright the colour is in a light from above left, taken
 * for a landscape as high as it is bright. A grouped filter [1, 1, 2 inputs a group, 3 outputs], the same in each group.
 */
export const RELIEF: Tensor = { data: new Float32Array(6).fill(0.5), shape: [1, 1, 2, 3] };
