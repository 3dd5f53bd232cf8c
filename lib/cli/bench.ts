import { Conv2d, getThreads } from '../index.js';
import { asUsage, UsageError } from './errors.js';
import { integer, padding, pair } from './values.js';

export interface BenchArguments {
  groups?: string;
  outChannels?: string;
  multiplier?: string;
  strides?: string;
  dilations?: string;
  padding: string;
  dataFormat?: 'NHWC' | 'NCHW';
  batch: string;
  json?: boolean;
}

/** Times one layer as a program would call it, `runSync` into a tensor of its own; depthwise unless groups are given. */
export function bench(sizes: readonly string[], args: BenchArguments): void {
  const [height, width, channels] = ['height', 'width', 'channels'].map((name, i) => integer(name, sizes[i]!, 1)) as [
    number,
    number,
    number,
  ];
  const filterSize = pair('filter', sizes[3]!);
  const [filterHeight, filterWidth] = typeof filterSize === 'number' ? [filterSize, filterSize] : filterSize;
  const groups = args.groups === undefined ? channels : integer('--groups', args.groups, 1);
  const multiplier = args.multiplier === undefined ? 1 : integer('--multiplier', args.multiplier, 1);
  if (args.multiplier !== undefined && (args.groups !== undefined || args.outChannels !== undefined)) {
    throw new UsageError('--multiplier is for depthwise convolution: it goes with neither --groups nor --out-channels');
  }
  const outChannels =
    args.outChannels === undefined ? channels * multiplier : integer('--out-channels', args.outChannels, 1);
  if (channels % groups !== 0 || outChannels % groups !== 0) {
    throw new UsageError(
      `--groups ${groups} must divide the input's ${channels} and the output's ${outChannels} channels`,
    );
  }
  const batch = integer('--batch', args.batch, 1);
  const shape = args.dataFormat === 'NCHW' ? [batch, channels, height, width] : [batch, height, width, channels];
  const filterShape = [filterHeight, filterWidth, channels / groups, outChannels];
  const options = {
    groups,
    strides: args.strides === undefined ? undefined : pair('--strides', args.strides),
    dilations: args.dilations === undefined ? undefined : pair('--dilations', args.dilations),
    padding: padding(args.padding),
    dataFormat: args.dataFormat,
  };
  // Sizes that don't fit each other, or no memory, are the command line's.
  const { layer, input, output } = asUsage(() => {
    const layer = new Conv2d({ data: filled(filterShape, 0.01), shape: filterShape }, options);
    const output = layer.outputShape(shape);
    return { layer, input: { data: filled(shape, 0.5), shape }, output };
  });
  const times = measure(layer, input);
  const { kernel, isa, threads, flops, bytes } = layer.explain(shape);
  const [low, median, high] = [0.25, 0.5, 0.75].map((q) => times[Math.floor(q * (times.length - 1))]!) as [
    number,
    number,
    number,
  ];
  const result = {
    input: shape,
    output,
    kernel,
    isa,
    threads: Math.min(threads, getThreads()),
    microseconds: { median, low, high },
    gflops: flops / median / 1e3,
    gigabytesPerSecond: bytes / median / 1e3,
  };
  process.stdout.write(
    args.json
      ? `${JSON.stringify(result)}\n`
      : `[${result.input}] -> [${result.output}]  ${kernel}, ${isa}, ${result.threads} thread${result.threads > 1 ? 's' : ''}
median ${median.toFixed(1)} us (quartiles ${low.toFixed(1)} to ${high.toFixed(1)}), ${result.gflops.toFixed(1)} GFLOP/s, ${result.gigabytesPerSecond.toFixed(1)} GB/s
`,
  );
}

const filled = (shape: readonly number[], value: number): Float32Array =>
  new Float32Array(shape.reduce((a, b) => a * b)).fill(value);

// Half a second of calls after a tenth of a second of warm-up: microseconds of each, sorted.
function measure(layer: Conv2d, input: { data: Float32Array; shape: number[] }): number[] {
  const out = layer.runSync(input);
  const times: number[] = [];
  const begin = performance.now();
  for (let now = begin; now < begin + 600; ) {
    layer.runSync(input, { out });
    const end = performance.now();
    if (end > begin + 100 || times.length === 0) times.push((end - now) * 1e3);
    now = end;
  }
  return times.sort((a, b) => a - b);
}
