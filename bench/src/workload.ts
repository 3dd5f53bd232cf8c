import { readFileSync } from 'node:fs';

export type Kind = 'depthwise' | 'multiplier' | 'picture' | 'grouped' | 'dense';

/** One line of ../layers.txt, whose head explains it. */
export interface Workload {
  layer: string;
  kind: Kind;
  usedBy: string;
  batch: number;
  input: [height: number, width: number, channels: number];
  output: [height: number, width: number, channels: number];
  filter: [height: number, width: number];
  strides: [height: number, width: number];
  dilations: [height: number, width: number];
  padding: [[top: number, bottom: number], [left: number, right: number]];
  /** The padding was given by the word 'same', which some libraries want rather than numbers. */
  same: boolean;
  groups: number;
}

/** The layers of which `layer | kind | used by` matches. */
export function readWorkloads(filter: RegExp): Workload[] {
  const lines = readFileSync(new URL('../layers.txt', import.meta.url), 'utf8').split('\n');
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.split('|').map((column) => column.trim()))
    .filter((columns) => filter.test(columns.slice(0, 3).join(' | ')))
    .map(([layer = '', kind, usedBy = '']) => ({ ...parseLayer(layer), kind: kind as Kind, usedBy }));
}

function parseLayer(layer: string): Omit<Workload, 'kind' | 'usedBy'> {
  const [shape = '', ...words] = layer.split(' ');
  const [inputShape = '', outChannels] = shape.split('->');
  const sizes = inputShape.split('x').map(Number);
  const [height = 0, width = 0, channels = 0] = sizes.slice(-3);
  const value = (letter: string) => words.find((word) => word.startsWith(letter) && word !== 'valid')?.slice(1);

  const filter = pair(value('k'));
  const strides = pair(value('s'));
  const dilations = pair(value('d'));
  const given = words.includes('valid') ? '0' : value('p');
  const [top = 0, left = top, bottom = top, right = top] = (given ?? '').split(',').map(Number);
  const vertical = given === undefined ? undefined : ([top, bottom] as const);
  const horizontal = given === undefined ? undefined : ([left, right] as const);
  const rows = extent(height, filter[0], strides[0], dilations[0], vertical);
  const columns = extent(width, filter[1], strides[1], dilations[1], horizontal);
  return {
    layer,
    batch: sizes.length === 4 ? sizes[0]! : 1,
    input: [height, width, channels],
    output: [rows.out, columns.out, Number(outChannels ?? channels * Number(value('m') ?? 1))],
    filter,
    strides,
    dilations,
    padding: [rows.padding, columns.padding],
    same: given === undefined,
    groups: Number(value('g') ?? channels),
  };
}

function pair(text = '1'): [number, number] {
  const [height = 1, width = height] = text.split('x').map(Number);
  return [height, width];
}

interface Extent {
  out: number;
  padding: [before: number, after: number];
}

/** One dimension; where no padding is given it is 'same'. */
function extent(
  size: number,
  filter: number,
  stride: number,
  dilation: number,
  given: readonly [number, number] | undefined,
): Extent {
  const reach = (filter - 1) * dilation + 1;
  if (given) return { out: Math.floor((size + given[0] + given[1] - reach) / stride) + 1, padding: [...given] };
  const out = Math.ceil(size / stride);
  const padding = Math.max((out - 1) * stride + reach - size, 0);
  return { out, padding: [Math.floor(padding / 2), Math.ceil(padding / 2)] };
}
