// npm start [-- path/to/image]
//
// Filters a photograph with depthwise and grouped convolutions, writes contact-sheet.png, and says what ran and how long
// it took beside a plain loop.
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import {
  Conv2d,
  conv2dSync,
  DepthwiseConv2d,
  depthwiseConv2dSync,
  getThreads,
  isa,
  type Tensor,
  version,
} from 'depthwise';
import { contactSheet, hasFonts } from './photo/contact_sheet.js';
import { depthwiseFilter, gaussian, RELIEF, SOBEL_ACROSS, SOBEL_DOWN, surroundDifference } from './photo/filters.js';
import { MANDRILL, readPicture } from './photo/picture.js';
import { plainConv2d, plainDepthwiseConv2d } from './plain_loop.js';

const LARGEST = 1024;
const RUNS = 7;

const path = process.argv[2] === undefined ? MANDRILL : resolve(process.argv[2]);
const photo = await readPicture(path, LARGEST).catch((error: Error) => {
  console.error(`Can't read ${path} as an image: ${error.message}\nUsage: npm start [-- path/to/image]`);
  process.exit(1);
});

console.log(`depthwise ${version}, instruction set ${isa}, threads ${getThreads()}\n`);
showShapes();

const blur = new DepthwiseConv2d(depthwiseFilter(3, [gaussian(13, 3)]), { padding: 'same' });
const dilated = new DepthwiseConv2d(depthwiseFilter(3, [surroundDifference()]), { padding: 'same', dilations: 6 });
const sobel = new DepthwiseConv2d(depthwiseFilter(3, [SOBEL_ACROSS, SOBEL_DOWN]), { padding: 'same' });
// A bias of one half makes level ground grey; clip keeps the brightness between black and white.
const lighting = new Conv2d(RELIEF, {
  groups: 3,
  bias: Float32Array.of(0.5, 0.5, 0.5),
  activation: { type: 'clip', min: 0, max: 1 },
});

// Off this thread, the first two at once.
const [blurred, slopes] = await Promise.all([blur.run(photo), sobel.run(photo)]);
const detail = await dilated.run(blurred);
const relief = await lighting.run(slopes);

await showTimes([
  {
    name: 'Gaussian blur, 13 x 13',
    layer: blur,
    input: photo,
    output: blurred,
    plain: () => plainDepthwiseConv2d(photo, depthwiseFilter(3, [gaussian(13, 3)])),
  },
  {
    name: '5 x 5, dilation 6',
    layer: dilated,
    input: blurred,
    output: detail,
    plain: () => plainDepthwiseConv2d(blurred, depthwiseFilter(3, [surroundDifference()]), { dilation: 6 }),
  },
  {
    name: 'Sobel pair, multiplier 2',
    layer: sobel,
    input: photo,
    output: slopes,
    plain: () => plainDepthwiseConv2d(photo, depthwiseFilter(3, [SOBEL_ACROSS, SOBEL_DOWN])),
  },
  {
    name: 'relief, 3 groups, 6 to 3 channels',
    layer: lighting,
    input: slopes,
    output: relief,
    plain: () => {
      const { data, shape } = plainConv2d(slopes, RELIEF, { groups: 3 });
      return { data: data.map((sum) => Math.min(Math.max(sum + 0.5, 0), 1)), shape };
    },
  },
]);

const [height, width] = photo.shape;
const sheetPath = resolve('contact-sheet.png');
await writeFile(
  sheetPath,
  await contactSheet({
    title: 'One photograph, four convolutions',
    subtitle: `depthwise for Node.js · ${width} × ${height} pixels, 3 channels, NHWC`,
    panels: [
      {
        picture: photo,
        title: 'The photograph',
        lines: [path === MANDRILL ? 'a mandrill, from npm’s baboon-image' : basename(path), `[${photo.shape}]`],
      },
      {
        picture: blurred,
        title: 'Gaussian blur',
        lines: ['depthwise 13 × 13, multiplier 1', `[${photo.shape}] → [${blurred.shape}]`],
      },
      {
        picture: detail,
        title: 'Folds and features',
        lines: ['of the blurred, depthwise 5 × 5, dilation 6', `[${blurred.shape}] → [${detail.shape}]`],
        show: (pixel) => [0.5 + 2.2 * pixel[0]!, 0.5 + 2.2 * pixel[1]!, 0.5 + 2.2 * pixel[2]!],
      },
      {
        picture: relief,
        title: 'A relief of each colour',
        lines: ['of the slopes, grouped 1 × 1, groups 3', `[${slopes.shape}] → [${relief.shape}]`],
      },
    ],
    photo,
    slopes,
    relief,
  }),
);
console.log(`\nThe pictures: ${sheetPath}`);
if (!(await hasFonts()))
  console.log('There are no fonts on this system to label them with; on Debian: apt install fonts-dejavu-core');

/** The shapes that the readers of TensorFlow's documentation ask about. */
function showShapes(): void {
  const input = zeros([2, 3, 3, 4]);
  const single = zeros([2, 2, 4, 1]);
  const double = zeros([2, 2, 4, 2]);
  const grouped = zeros([2, 2, 2, 2]);
  const rows = [
    ['depthwise, multiplier 1', single, depthwiseConv2dSync(input, single, { padding: 'same' })],
    ['depthwise, multiplier 2', double, depthwiseConv2dSync(input, double, { padding: 'same' })],
    ['grouped, groups 2', grouped, conv2dSync(input, grouped, { padding: 'same', groups: 2 })],
  ] as const;
  console.log(line('', 'input', 'filter', 'output'));
  for (const [name, filter, output] of rows) {
    console.log(line(name, `(${input.shape})`, `(${filter.shape})`, `(${output.shape})`));
  }
}

interface Step {
  readonly name: string;
  readonly layer: DepthwiseConv2d | Conv2d;
  readonly input: Tensor;
  readonly output: Tensor;
  readonly plain: () => Tensor;
}

/** Prints the kernel of each step and its time, synchronous and asynchronous, beside a plain loop's. */
async function showTimes(steps: readonly Step[]): Promise<void> {
  console.log(`\n${line('', 'kernel', 'sync', 'async', 'plain loop', 'ratio')}`);
  const totals = { sync: 0, plain: 0 };
  let difference = 0;
  for (const { name, layer, input, output, plain } of steps) {
    const out = { data: new Float32Array(output.data.length), shape: output.shape };
    const sync = await medianTime(() => layer.runSync(input, { out }));
    const async = await medianTime(() => layer.run(input));
    const begin = performance.now();
    const expected = plain();
    const loop = performance.now() - begin;
    difference = Math.max(difference, largestDifference(expected, output), largestDifference(expected, out));
    totals.sync += sync;
    totals.plain += loop;
    const { kernel } = layer.explain(input.shape);
    console.log(line(name, kernel, milliseconds(sync), milliseconds(async), milliseconds(loop), ratio(loop, sync)));
  }
  const { sync, plain } = totals;
  console.log(line('all', '', milliseconds(sync), '', milliseconds(plain), ratio(plain, sync)));
  console.log(`Largest difference from the plain loop: ${difference.toExponential(1)}`);
}

async function medianTime(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!;
}

function largestDifference(a: Tensor, b: Tensor): number {
  return a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i]!)), 0);
}

function zeros(shape: number[]): Tensor {
  return { data: new Float32Array(shape.reduce((product, size) => product * size)), shape };
}

function line(name: string, ...cells: readonly string[]): string {
  return [name.padEnd(36), ...cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(12)))]
    .join('')
    .trimEnd();
}

function milliseconds(time: number): string {
  return `${time.toFixed(time < 10 ? 2 : 0)} ms`;
}

function ratio(plain: number, ours: number): string {
  return `${(plain / ours).toFixed(0)} x`;
}
