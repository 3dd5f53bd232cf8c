import type { Tensor } from '../index.js';
import { UsageError } from './errors.js';

/** One filter per channel it makes of an input channel, each [height][width]. */
type Planes = number[][][];

const SOBEL_X = [
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
];
const SOBEL_Y = SOBEL_X[0]!.map((_, x) => SOBEL_X.map((row) => row[x]!));

/** Each by name, from the numbers behind its name: gaussian:SIZE,SIGMA. */
const FILTERS: Record<string, { arguments: string; make(numbers: number[]): Planes }> = {
  gaussian: {
    arguments: ':SIZE[,SIGMA]',
    make: ([size = 5, sigma = size / 5]) => {
      const line = Array.from({ length: oddSize(size) }, (_, i) =>
        Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma ** 2)),
      );
      const sum = line.reduce((a, b) => a + b);
      return [line.map((a) => line.map((b) => (a * b) / sum ** 2))];
    },
  },
  box: {
    arguments: ':SIZE',
    make: ([size = 3]) => [Array.from({ length: oddSize(size) }, () => new Array<number>(size).fill(1 / size ** 2))],
  },
  sobel: { arguments: '', make: () => [SOBEL_X, SOBEL_Y] },
  'sobel-x': { arguments: '', make: () => [SOBEL_X] },
  'sobel-y': { arguments: '', make: () => [SOBEL_Y] },
  laplacian: { arguments: '', make: () => [parse('0 1 0, 1 -4 1, 0 1 0')] },
  sharpen: { arguments: '', make: () => [parse('0 -1 0, -1 5 -1, 0 -1 0')] },
  emboss: { arguments: '', make: () => [parse('-2 -1 0, -1 1 1, 0 1 2')] },
};

/** What `--help` lists. */
export const BUILTIN_FILTERS = Object.entries(FILTERS)
  .map(([name, filter]) => `${name}${filter.arguments}`)
  .join(', ');

function parse(text: string): number[][] {
  return text.split(', ').map((row) => row.split(' ').map(Number));
}

function oddSize(size: number): number {
  if (!Number.isInteger(size) || size < 1 || size > 255) {
    throw new UsageError(`a built-in filter's size must be a whole number from 1 to 255, got ${size}`);
  }
  return size;
}

/** Undefined where `text` doesn't begin with a built-in filter's name. */
export function builtinFilter(text: string): Planes | undefined {
  const [name, argument] = text.split(/:(.*)/s) as [string, string | undefined];
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (!filter) return undefined;
  const numbers = argument === undefined ? [] : argument.split(',').map(Number);
  const allowed = filter.arguments === '' ? 0 : filter.arguments.split(',').length;
  if (numbers.length > allowed || !numbers.every((n) => n > 0 && Number.isFinite(n))) {
    throw new UsageError(`--filter ${name} takes ${filter.arguments || 'no numbers'}, got '${text}'`);
  }
  return filter.make(numbers);
}

/** The same filters for every channel: a depthwise filter [height, width, channels, planes.length]. */
export function depthwiseFilter(planes: Planes, channels: number): Tensor {
  const height = planes[0]!.length;
  const width = planes[0]![0]!.length;
  const data = new Float32Array(height * width * channels * planes.length);
  let next = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        for (const plane of planes) data[next++] = plane[y]![x]!;
      }
    }
  }
  return { data, shape: [height, width, channels, planes.length] };
}
