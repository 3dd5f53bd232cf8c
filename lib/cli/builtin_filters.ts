import type { Tensor } from '../index.js';
import { UsageError } from './errors.js';
import { numbers } from './values.js';

/** One filter per channel it makes of an input channel, each [height][width]. */
type Planes = number[][][];

interface BuiltinFilter {
  /** What may stand behind its name, each with its default. */
  parameters: string;
  make(values: number[]): Planes;
}

// Each by name, from the numbers behind its name: gaussian:9,2.
const FILTERS: Record<string, BuiltinFilter> = {
  gaussian: {
    parameters: 'SIZE=5,SIGMA=SIZE/5',
    make: ([size = 5, sigma = checkedSize(size) / 5]) => {
      if (sigma < 0.1) throw new UsageError(`gaussian's SIGMA must be at least 0.1 pixels, got ${sigma}`);
      const line = Array.from({ length: checkedSize(size) }, (_, i) =>
        Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2),
      );
      const sum = line.reduce((a, b) => a + b);
      return [line.map((a) => line.map((b) => (a * b) / sum ** 2))];
    },
  },
  box: {
    parameters: 'SIZE=3',
    make: ([size = 3]) => [
      Array.from({ length: checkedSize(size) }, () => new Array<number>(size).fill(1 / size ** 2)),
    ],
  },
  sobel: { parameters: '', make: () => [sobel, transpose(sobel)] },
  'sobel-x': { parameters: '', make: () => [sobel] },
  'sobel-y': { parameters: '', make: () => [transpose(sobel)] },
  laplacian: {
    parameters: 'NEIGHBOURS=4',
    make: ([neighbours = 4]) => {
      if (neighbours !== 4 && neighbours !== 8) throw new UsageError(`laplacian's NEIGHBOURS must be 4 or 8`);
      const corner = neighbours === 8 ? 1 : 0;
      return [
        [
          [corner, 1, corner],
          [1, -neighbours, 1],
          [corner, 1, corner],
        ],
      ];
    },
  },
  sharpen: {
    parameters: 'AMOUNT=1',
    make: ([amount = 1]) => [
      [
        [0, -amount, 0],
        [-amount, 1 + 4 * amount, -amount],
        [0, -amount, 0],
      ],
    ],
  },
  emboss: {
    parameters: 'AMOUNT=1',
    make: ([amount = 1]) => [
      [
        [-2 * amount, -amount, 0],
        [-amount, 1, amount],
        [0, amount, 2 * amount],
      ],
    ],
  },
};

const sobel = [
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
];

const transpose = (rows: number[][]): number[][] => rows[0]!.map((_, x) => rows.map((row) => row[x]!));

/** What `--help` lists. */
export const BUILTIN_FILTERS = Object.entries(FILTERS)
  .map(([name, { parameters }]) => (parameters === '' ? name : `${name}[:${parameters}]`))
  .join(', ');

function checkedSize(size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= 255) return size;
  throw new UsageError(`a built-in filter's SIZE must be a whole number from 1 to 255, got ${size}`);
}

/** Undefined where `text` doesn't begin with a built-in filter's name. */
export function builtinFilter(text: string): Planes | undefined {
  const [name, argument] = text.split(/:(.*)/s) as [string, string | undefined];
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (!filter) return undefined;
  const values = argument === undefined ? [] : numbers(argument);
  const allowed = filter.parameters === '' ? 0 : filter.parameters.split(',').length;
  if (values.length > allowed || !values.every((n) => n > 0 && Number.isFinite(n))) {
    const expected = allowed === 0 ? 'no numbers' : `${name}:${filter.parameters}, above 0`;
    throw new UsageError(`--filter ${name} takes ${expected}; got '${text}'`);
  }
  return filter.make(values);
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
